# HL7 v2.5.1 chapter 2, 2.9.3 and table 0155: MSH-15 and MSH-16 are NE: nothing is sent back.
