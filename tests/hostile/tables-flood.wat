;; Asks for a table that the site did not lend, for ever: a denial is no way around the limit.
;; budget: host_calls = 1000
(module
  (import "hilum:plugin/tables@0.1.0" "translate" (func $it (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (data (i32.const 1024) "kept")
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (loop $again (call $it (i32.const 1024) (i32.const 4) (i32.const 1024) (i32.const 4) (i32.const 64)) (br $again)) (i32.const 0)))
