;; A function with a thousand variables alive at once that calls itself: large frames, few of them.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func $f (param i64) (result i64)
    ;; repeat 1000: (local i64)
    ;; repeat 1000: (local.set {i} (i64.add (local.get {i}) (local.get 0)))
    (drop (call $f (i64.add (local.get 0) (i64.const 1))))
    (i64.const 0)
    ;; repeat 1000: (i64.xor (local.get {i}))
  )
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (drop (call $f (i64.const 1))) (i32.const 0)))
