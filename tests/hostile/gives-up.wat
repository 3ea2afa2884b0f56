;; Says why, and gives up. What it says is kept, without the patient's name and on one line.
(module
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "no rule\nfor EVERYWOMAN")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (call $write (i32.const 3) (i32.const 64) (i32.const 22))
    unreachable))
