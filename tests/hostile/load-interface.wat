;; A slip of the finger in an import.
(component
  (import "hilum:plugin/mesage@0.1.0" (instance (export "get" (func (param "path" string) (result string))))))
