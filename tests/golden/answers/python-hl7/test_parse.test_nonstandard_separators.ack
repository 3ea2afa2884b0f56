# HL7 v2.5.1 chapter 2, 2.5: the sender's delimiters: $ for fields, % for components. 2.15.9.9: MSH-9 is required.
MSH$%~\&$$$GHH LAB$$<time>$$ACK$<id>$P$2.5.1
MSA$AE
ERR$$MSH%1%9$101%Required field missing%HL70357$E$$$$MSH-9: required field is missing
