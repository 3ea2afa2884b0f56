;; Answers with a thousand outputs, each for the same two hundred and fifty-six destinations of a hundred letters: small for
;; the guest, twenty-five megabytes for the host.
;; world: transformer
;; budget: output = "1 MiB"
(module
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
    (local $at i32)
    (memory.fill (i32.const 16) (i32.const 97) (i32.const 100))
    ;; 256 names at 1,024, all the same; a thousand outputs at 65,536.
    (loop $names
      (i32.store (i32.add (local.get $at) (i32.const 1024)) (i32.const 16))
      (i32.store (i32.add (local.get $at) (i32.const 1028)) (i32.const 100))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $names (i32.lt_u (local.get $at) (i32.const 2048))))
    (local.set $at (i32.const 65536))
    (loop $outputs
      (i32.store offset=12 (local.get $at) (i32.const 1024))
      (i32.store offset=16 (local.get $at) (i32.const 256))
      (local.set $at (i32.add (local.get $at) (i32.const 32)))
      (br_if $outputs (i32.lt_u (local.get $at) (i32.const 97536))))
    (i32.store (i32.const 4) (i32.const 65536))
    (i32.store (i32.const 8) (i32.const 1000))
    (i32.const 0)))
