# HL7 v2.5.1 chapter 2, 2.9.3: MSH-15 is AL, MSH-16 is empty: a commit acknowledgement alone. HL7 v2.3: MSH-9 has no structure yet.
MSH|^~\&|RAPP|RFAC|SIMHOSP|SFAC|<time>||ACK^T02|<id>|T|2.3|||NE|NE||ASCII
MSA|CA|112
