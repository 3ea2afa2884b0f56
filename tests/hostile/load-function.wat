;; One function that was meant otherwise, and one that a later gateway may have.
(component
  (import "hilum:plugin/settings@0.1.0" (instance (export "gett" (func (param "key" string) (result (option string))))))
  (import "hilum:plugin/message@0.1.7" (instance (export "patient" (func (result string))))))
