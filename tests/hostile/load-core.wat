;; Is a core module and no component.
;; world: none
(module (func (export "run")))
