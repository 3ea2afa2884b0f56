;; The same hundred thousand blocks, where the clock on the wall is the first to say no.
;; wall: 300 ms
(module
  (func
    ;; repeat 100000: block
    ;; repeat 100000: end
  )
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
