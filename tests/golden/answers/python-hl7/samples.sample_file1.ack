# HL7 v2.5.1 chapter 2, 2.10.3.1 (a file of two batches) and 2.9.3: every message says NE and NE, so nothing is sent back.
