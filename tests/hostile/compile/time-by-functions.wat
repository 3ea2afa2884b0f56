;; Two hundred thousand functions, each as small as can be.
;; processor: 2 s
(module
  ;; repeat 200000: (func (param i32) (result i32) local.get 0)
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
