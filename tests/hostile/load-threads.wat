;; Shares a memory between threads that it cannot have.
(component
  (core module (memory 1 2 shared)))
