;; Asks for a setting for ever.
;; budget: host_calls = 1000
(module
  (import "hilum:plugin/settings@0.1.0" "get" (func $get (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (loop $again
      (call $get (i32.const 0) (i32.const 4) (i32.const 64))
      (br $again))
    (i32.const 0)))
