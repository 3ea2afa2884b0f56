;; Calls a place of a table where nothing is.
(module
  (type $f (func))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (table 4 funcref)
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call_indirect (type $f) (i32.const 2)) (i32.const 0)))
