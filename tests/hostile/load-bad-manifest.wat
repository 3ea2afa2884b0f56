;; Has a manifest with several problems.
;; manifest: none
(component
  (@custom "hilum:manifest" "[plugin]\nname = \"St Anna/x\"\nversion = \"1.0\"\ncontract = \"hilum:plugin/router@0.1.0\"\nsumary = \"a\"\ntakes = [\"HL7\"]\n\n[asks]\nphi.birthdate = { sight = \"open\" }\ntables = \"x\"\n\n[budget]\nfuel = \"much\"\n"))
