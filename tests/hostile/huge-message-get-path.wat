;; Eight megabytes as `path` of `message.get`, again and again: each call counts as all that it moves.
;; budget: host_calls = 5_000
;; budget: fuel = 100_000_000
;; budget: wall = "30s"
(module
  (import "hilum:plugin/message@0.1.0" "get" (func $it (param i32 i32 i32)))
  (memory (export "memory") 160)
  (data (i32.const 9437200) "PID-3")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (memory.fill (i32.const 0) (i32.const 120) (i32.const 8388608))
    (loop $again
      (call $it
        (i32.const 0) (i32.const 8388608) (i32.const 9437248))
      (br $again))
    (i32.const 0)))
