;; Asks for a path that begins inside its memory and ends beyond.
(module
  (import "hilum:plugin/message@0.1.0" "get" (func $get (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call $get (i32.const 65530) (i32.const 7) (i32.const 64)) (i32.const 0)))
