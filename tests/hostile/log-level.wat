;; Writes a line of a level that there is not.
(module
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call $write (i32.const 9) (i32.const 64) (i32.const 10)) (i32.const 0)))
