;; Writes a thousand lines. A full log is cut and noted; it is no fault.
;; budget: log = "1 KiB"
(module
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "still here, still here, still he")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (local $i i32)
    (loop $again
      (call $write (i32.const 1) (i32.const 64) (i32.const 32))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
    (i32.const 0)))
