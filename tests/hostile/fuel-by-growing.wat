;; Grows its memory by a page, again and again up to its own maximum, then fails to: growing costs fuel
;; by the page, and asking in vain does too.
;; budget: fuel = 100_000
(module
  (memory (export "memory") 1 100)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (loop $again (drop (memory.grow (i32.const 1))) (br $again))
    (i32.const 0)))
