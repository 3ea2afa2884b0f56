;; Writes into a draft that it has let go.
;; world: transformer
(module
  (import "hilum:plugin/drafts@0.1.0" "[static]draft.copy-of-message" (func $copy (param i32)))
  (import "hilum:plugin/drafts@0.1.0" "[method]draft.set" (func $set (param i32 i32 i32 i32 i32 i32)))
  (import "hilum:plugin/drafts@0.1.0" "[resource-drop]draft" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (data (i32.const 1024) "PID-5")
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
    (call $copy (i32.const 64))
    (call $drop (i32.load (i32.const 68)))
    (call $set (i32.load (i32.const 68)) (i32.const 1024) (i32.const 5) (i32.const 1024) (i32.const 5) (i32.const 128))
    (i32.const 0)))
