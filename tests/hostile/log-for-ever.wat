;; Writes the same line for ever. What is cut costs as what is kept.
(module
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (data (i32.const 64) "still here")
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (loop $again (call $write (i32.const 1) (i32.const 64) (i32.const 10)) (br $again)) (i32.const 0)))
