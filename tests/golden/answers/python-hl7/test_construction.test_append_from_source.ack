# HL7 v2.5.1 chapter 2, 2.9.2: a message with MSA answers somebody, and is not answered.
