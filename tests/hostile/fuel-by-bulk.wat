;; Fills its memory again and again: few instructions, much work. Bulk instructions cost per byte.
;; budget: fuel = 10_000_000
(module
  (memory (export "memory") 16)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (local $i i32)
    (loop $again
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 1048576))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
    (i32.const 0)))
