;; One call with many paths: each counts.
;; budget: host_calls = 1000
(module
  (import "hilum:plugin/message@0.1.0" "get-many" (func $many (param i32 i32 i32)))
  (memory (export "memory") 4)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 131072))
  ;; 2,000 strings of no length at all: the memory is zero.
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (call $many (i32.const 0) (i32.const 2000) (i32.const 65536))
    (i32.const 0)))
