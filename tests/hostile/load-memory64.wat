;; Uses what the engine has turned off.
(component
  (core module (memory i64 1)))
