;; Hands back the same 64 KiB nine hundred times: little for the guest, 56 MiB for the host. The engine
;; stops copying before the host has the whole of it.
;; world: transformer
;; budget: output = "1 MiB"
(module
  (memory (export "memory") 4)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
    (local $at i32)
    (i32.store (i32.const 131076) (i32.const 65536))  ;; outputs at 65,536
    (i32.store (i32.const 131080) (i32.const 900))
    (local.set $at (i32.const 65536))
    (loop $again
      (i32.store8 (i32.add (local.get $at) (i32.const 20)) (i32.const 1)) ;; text
      (i32.store (i32.add (local.get $at) (i32.const 28)) (i32.const 65536))
      (local.set $at (i32.add (local.get $at) (i32.const 32)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 94336))))
    (i32.const 131072)))
