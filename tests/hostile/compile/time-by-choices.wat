;; Twenty thousand choices in each other.
;; processor: 2 s
(module
  (func (param i32)
    ;; repeat 40000: local.get 0 if
    ;; repeat 40000: end
  )
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
