;; Looks for bits in a result that is no number: they would differ between processors. There are none.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (local $nan f64)
    (local.set $nan (f64.div (f64.const 0) (f64.const 0)))
    (if (i64.ne (i64.reinterpret_f64 (local.get $nan)) (i64.const 0x7ff8000000000000)) (then unreachable))
    (local.set $nan (f64.sqrt (f64.neg (f64.const 1))))
    (if (i64.ne (i64.reinterpret_f64 (local.get $nan)) (i64.const 0x7ff8000000000000)) (then unreachable))
    (local.set $nan (f64.add (f64.reinterpret_i64 (i64.const 0xfff8deadbeef0001)) (f64.const 1)))
    (if (i64.ne (i64.reinterpret_f64 (local.get $nan)) (i64.const 0x7ff8000000000000)) (then unreachable))
    (i32.const 0)))
