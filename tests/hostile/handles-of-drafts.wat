;; Makes drafts and keeps them.
;; world: transformer
;; budget: handles = 16
(module
  (import "hilum:plugin/drafts@0.1.0" "[static]draft.copy-of-message" (func $copy (param i32)))
  (import "hilum:plugin/drafts@0.1.0" "[method]draft.set" (func $set (param i32 i32 i32 i32 i32 i32)))
  (import "hilum:plugin/drafts@0.1.0" "[resource-drop]draft" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32) (loop $again (call $copy (i32.const 64)) (br $again)) (i32.const 0)))
