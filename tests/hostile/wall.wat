;; Has fuel for minutes. The wall limit watches.
;; budget: fuel = 20_000_000_000
;; budget: wall = "30ms"
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32)
    (loop $again (br $again))
    (i32.const 0)))
