;; Makes handles of a resource of its own, without the host having a say.
;; budget: handles = 16
(component
  (type $mine' (resource (rep i32)))
  (core func $new (canon resource.new $mine'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (result i32)
      (loop $again (drop (call $new (i32.const 7))) (br $again))
      (i32.const 0)))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (import "hilum:plugin/types@0.1.0" (instance $types
    (type $reason' (enum "required-missing" "value-invalid" "unsupported" "unknown-code" "inconsistent" "application"))
    (export "reason" (type $reason (eq $reason')))
    (type $refusal' (record (field "reason" $reason) (field "text" string) (field "path" (option string))))
    (export "refusal" (type (eq $refusal')))))
  (alias export $types "refusal" (type $refusal))
  (func $run (result (result (list string) (error $refusal)))
    (canon lift (core func $i "run") (memory (core memory $i "memory"))))
  (instance $route (export "run" (func $run)))
  (export "hilum:plugin/route@0.1.0" (instance $route)))
