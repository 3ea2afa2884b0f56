;; Few calls, each with much to copy: 64 KiB of a key that no setting has count as seventeen calls.
;; budget: host_calls = 1000
(module
  (import "hilum:plugin/settings@0.1.0" "get" (func $get (param i32 i32 i32)))
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (local $i i32)
    (loop $again
      (call $get (i32.const 0) (i32.const 65536) (i32.const 65600))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
    (i32.const 0)))
