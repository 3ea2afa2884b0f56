;; Has two manifests.
;; manifest: twice
(component)
