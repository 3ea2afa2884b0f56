;; Calls a function as if it were another one.
(module
  (type $f (func (result i64)))
  (memory (export "memory") 1)
  (table funcref (elem $g))
  (func $g)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (drop (call_indirect (type $f) (i32.const 0))) (i32.const 0)))
