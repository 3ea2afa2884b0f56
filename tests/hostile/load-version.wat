;; Was built against a contract of later.
(component
  (import "hilum:plugin/message@0.2.0" (instance (export "get" (func (param "path" string) (result string))))))
