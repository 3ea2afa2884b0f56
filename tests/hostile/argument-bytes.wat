;; One log line of 8 MiB: more than one call may hand over.
;; budget: output = "1 MiB"
(module
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 160)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (call $write (i32.const 1) (i32.const 1024) (i32.const 8388608))
    (i32.const 0)))
