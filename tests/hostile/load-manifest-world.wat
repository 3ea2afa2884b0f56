;; A slip of the finger in the manifest.
;; contract: hilum:plugin/transfomer@0.1.0
(component)
