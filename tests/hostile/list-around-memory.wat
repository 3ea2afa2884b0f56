;; Asks for many paths, in a list that begins inside its memory and ends beyond.
(module
  (import "hilum:plugin/message@0.1.0" "get-many" (func $many (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call $many (i32.const 65528) (i32.const 1000) (i32.const 64)) (i32.const 0)))
