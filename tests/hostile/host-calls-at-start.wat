;; Floods the host before it is called, in the function that starts its second module.
;; budget: host_calls = 1000
(component
  (import "hilum:plugin/types@0.1.0" (instance $types
    (type $reason' (enum "required-missing" "value-invalid" "unsupported" "unknown-code" "inconsistent" "application"))
    (export "reason" (type $reason (eq $reason')))
    (type $refusal' (record (field "reason" $reason) (field "text" string) (field "path" (option string))))
    (export "refusal" (type (eq $refusal')))))
  (alias export $types "refusal" (type $refusal))
  (import "hilum:plugin/log@0.1.0" (instance $log
    (type $level' (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "text" string)))))
  (core module $m (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (alias export $log "write" (func $write))
  (core func $write' (canon lower (func $write) (memory (core memory $i "memory"))))
  (core module $flood
    (import "" "write" (func $write (param i32 i32 i32)))
    (func $start (loop $again (call $write (i32.const 0) (i32.const 0) (i32.const 0)) (br $again)))
    (start $start))
  (core instance (instantiate $flood (with "" (instance (export "write" (func $write'))))))
  (func $run (result (result (list string) (error $refusal)))
    (canon lift (core func $i "run") (memory (core memory $i "memory"))))
  (instance $route (export "run" (func $run)))
  (export "hilum:plugin/route@0.1.0" (instance $route)))
