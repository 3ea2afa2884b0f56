;; One module with two tables. The pool has one for each.
(component
  (core module (table 1 funcref) (table 1 funcref))
  (core instance (instantiate 0))
  (import "hilum:plugin/types@0.1.0" (instance $types
    (type $reason' (enum "required-missing" "value-invalid" "unsupported" "unknown-code" "inconsistent" "application"))
    (export "reason" (type $reason (eq $reason')))
    (type $refusal' (record (field "reason" $reason) (field "text" string) (field "path" (option string))))
    (export "refusal" (type (eq $refusal')))))
  (alias export $types "refusal" (type $refusal))
  (core module $m (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result (list string) (error $refusal)))
    (canon lift (core func $i "run") (memory (core memory $i "memory"))))
  (instance $route (export "run" (func $run)))
  (export "hilum:plugin/route@0.1.0" (instance $route)))
