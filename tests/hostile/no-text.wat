;; Names a destination in bytes that are no UTF-8.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\00\00\10\00\00\00\01\00\00\00")
  (data (i32.const 16) "\20\00\00\00\04\00\00\00")
  (data (i32.const 32) "\ff\fe\ff\fe")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
