;; Has its manifest in a component inside. Only the outermost one speaks for the file.
;; manifest: none
(component
  (component
    (@custom "hilum:manifest" "[plugin]\nname = \"a\"\nversion = \"1.0.0\"\ncontract = \"hilum:plugin/router@0.1.0\"\n")))
