;; Eight megabytes as `origin` of `drafts.copy`, again and again: each call counts as all that it moves.
;; world: transformer
;; budget: host_calls = 5_000
;; budget: fuel = 100_000_000
;; budget: wall = "30s"
(module
  (import "hilum:plugin/drafts@0.1.0" "[method]draft.copy" (func $it (param i32 i32 i32 i32 i32 i32)))
  (import "hilum:plugin/drafts@0.1.0" "[static]draft.copy-of-message" (func $new (param i32)))
  (memory (export "memory") 160)
  (data (i32.const 9437200) "PID-3")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
    (local $draft i32)
    (call $new (i32.const 9437248))
    (local.set $draft (i32.load (i32.const 9437252)))
    (memory.fill (i32.const 0) (i32.const 120) (i32.const 8388608))
    (loop $again
      (call $it
        (local.get $draft)
        (i32.const 0) (i32.const 8388608)
        (i32.const 9437200) (i32.const 5) (i32.const 9437248))
      (br $again))
    (i32.const 0)))
