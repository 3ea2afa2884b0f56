;; A hundred thousand blocks in each other, with nothing in them.
;; processor: 2 s
(module
  (func
    ;; repeat 100000: block
    ;; repeat 100000: end
  )
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
