;; Answers with a list of four thousand million destinations.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (data (i32.const 0) "\00\00\00\00\10\00\00\00\ff\ff\ff\ff")
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
