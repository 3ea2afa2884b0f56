;; Reads a table beyond its end.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (table 4 funcref)
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (drop (table.get 0 (i32.const 2000000000))) (i32.const 0)))
