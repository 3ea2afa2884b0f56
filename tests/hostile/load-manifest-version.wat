;; Says so in its manifest already.
;; contract: hilum:plugin/router@0.2.0
(component)
