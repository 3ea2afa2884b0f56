;; Names 257 destinations.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\00\00\00\01\00\00\01\01\00\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
