;; Refuses with the patient's name in the text and her birth date in the path. Neither gets out.
;; world: validator
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\01\00\00\00\10\00\00\00\01\00\00\00")
  (data (i32.const 16) "\01\00\00\00\40\00\00\00\19\00\00\00\01\00\00\00\80\00\00\00\0c\00\00\00")
  (data (i32.const 64) "Everywoman is not welcome")
  (data (i32.const 128) "PID-19800312")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/check@0.1.0#run") (result i32) (i32.const 0)))
