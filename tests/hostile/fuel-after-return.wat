;; Answers, and never ends in the function that is to clean up after it.
;; budget: fuel = 1_000_000
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "cabi_post_hilum:plugin/route@0.1.0#run") (param i32) (loop $again (br $again)))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
