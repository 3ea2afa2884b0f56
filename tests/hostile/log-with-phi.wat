;; Writes a name in the plain, in base64 and backwards. Today the search knows values in the plain alone.
(module
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (data (i32.const 64) "EVERYWOMAN 19800312 RVZFUllXT01BTg== NAMOWYREVE")
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (call $write (i32.const 1) (i32.const 64) (i32.const 48)) (i32.const 0)))
