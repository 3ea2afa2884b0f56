# HL7 v2.5.1 chapter 2, 2.9.3: MSH-16 is AL, MSH-15 empty: one application acknowledgement.
MSH|^~\&|REC APP|REC FAC|SEND APP|SEND FAC|<time>||ACK^A01^ACK|<id>|P|2.6|||NE|NE
MSA|AA|0123456789
