;; Nothing hostile: what the smallest of these bounds leaves alone.
;; memory: 512 MiB
;; processor: 2 s
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/route@0.1.0#run") (result i32) (i32.const 0)))
