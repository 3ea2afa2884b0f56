;; Calls the host from inside the allocator that the host calls: the host would be in itself.
(module
  (import "hilum:plugin/message@0.1.0" "outline" (func $outline (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $outline (i32.const 64))
    (i32.const 1024))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call $outline (i32.const 64)) (i32.const 0)))
