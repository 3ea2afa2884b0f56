;; A thousand and one outputs, of no length at all.
;; world: transformer
(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\00\00\00\00\00\01\00\00\e9\03\00\00") ;; ok, 1,001 outputs at 256
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32) (i32.const 0)))
