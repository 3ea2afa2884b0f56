# HL7 v2.5.1 chapter 2, 2.9.2: a response carries MSA. It answers somebody, and an answer is not answered.
