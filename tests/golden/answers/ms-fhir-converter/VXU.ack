# HL7 v2.5.1 chapter 2, 2.9.3: MSH-15 is ER and nothing is wrong, MSH-16 is AL: an application acknowledgement alone.
MSH|^~\&|NISTIISAPP|NISTIISFAC|NISTEHRAPP|NISTEHRFAC|<time>||ACK^V04^ACK|<id>|P|2.5.1|||NE|NE
MSA|AA|NIST-IZ-AD-2.1_Send_V04_Z22
