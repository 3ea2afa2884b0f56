;; Wants what no contract offers, in two ways.
(component
  (import "acme:telephone/line@1.0.0" (instance (export "call" (func (param "number" string)))))
  (import "help" (func)))
