;; Two functions that call each other, through a table, for ever.
(module
  (type $f (func (param i32)))
  (memory (export "memory") 1)
  (table funcref (elem $ping $pong))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func $ping (type $f) (call_indirect (type $f) (i32.const 1) (i32.const 1)))
  (func $pong (type $f) (call_indirect (type $f) (i32.const 0) (i32.const 0)))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call $ping (i32.const 0)) (i32.const 0)))
