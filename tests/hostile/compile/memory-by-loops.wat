;; A thousand loops in each other, and a thousand variables that change in the innermost: thirty kilobytes, of which the
;; compiler makes a million places where a variable may have changed.
;; memory: 512 MiB
(module
  (func (param i32)
    ;; repeat 1000: (local i32)
    ;; repeat 1000: loop
    ;; repeat 1000: (local.set {i} (i32.add (local.get {i}) (i32.const 1)))
    ;; repeat 1000: (br_if 0 (local.get 0)) end
  )
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
