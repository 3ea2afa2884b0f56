;; `route.run` with another type.
(component
  (core module $m (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result u32) (canon lift (core func $i "run")))
  (instance $route (export "run" (func $run)))
  (export "hilum:plugin/route@0.1.0" (instance $route)))
