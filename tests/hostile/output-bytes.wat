;; Hands back one byte more than it may.
;; world: transformer
;; budget: output = "64 KiB"
(module
  (memory (export "memory") 4)
  (data (i32.const 0) "\00\00\00\00\10\00\00\00\01\00\00\00") ;; ok, one output at 16
  ;; No format, no destinations, text of 65,537 bytes at 4,096.
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\00\10\00\00\01\00\01\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32) (i32.const 0)))
