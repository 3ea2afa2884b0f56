;; Asks for a draft. Editing is not built: a typed answer, and no trap.
;; world: transformer
(module
  (import "hilum:plugin/drafts@0.1.0" "[static]draft.copy-of-message" (func $copy (param i32)))
  (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (global.get $free))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
    (call $copy (i32.const 64))
    ;; An error (1), the case `other` (4), and its text.
    (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))
    (if (i32.ne (i32.load8_u (i32.const 68)) (i32.const 4)) (then unreachable))
    (call $write (i32.const 1) (i32.load (i32.const 72)) (i32.load (i32.const 76)))
    (i32.const 0)))
