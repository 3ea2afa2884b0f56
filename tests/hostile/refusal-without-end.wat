;; Refuses with a text of a megabyte. It is cut.
(module
  (memory (export "memory") 20)
  (data (i32.const 0) "\01\00\00\00\01\00\00\00\40\00\00\00\00\00\10\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (memory.fill (i32.const 64) (i32.const 120) (i32.const 1048576)) (i32.const 0)))
