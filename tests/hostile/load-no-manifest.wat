;; Has no manifest.
;; manifest: none
(component)
