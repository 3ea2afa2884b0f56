;; Converts a sealed value, and what came of it, and so on: what a token stands for and how it came about lies in the
;; host, and counts as the plugin's.
(module
  (import "hilum:plugin/message@0.1.0" "get" (func $get (param i32 i32 i32)))
  (import "hilum:plugin/conversions@0.1.0" "upper-case" (func $upper (param i32 i32 i32)))
  (import "hilum:plugin/conversions@0.1.0" "lower-case" (func $lower (param i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 1024) "PID-5.1")
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (if (i32.lt_u (i32.const 100000) (global.get $free)) (then (global.set $free (i32.const 4096))))
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (i32.and (i32.sub (global.get $free) (local.get 3)) (i32.const -16)))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (call $get (i32.const 1024) (i32.const 7) (i32.const 64))
    (loop $again
      (call $upper (i32.load (i32.const 72)) (i32.load (i32.const 76)) (i32.const 72))
      (call $lower (i32.load (i32.const 72)) (i32.load (i32.const 76)) (i32.const 72))
      (br $again))
    (i32.const 0)))
