# HL7 v2.5.1 chapter 2, 2.9.3: MSH-15 is NE, MSH-16 is AL: an application acknowledgement alone. 2.15.9.18: MSH-18 says how the answer is written.
MSH|^~\&|IHEPALM||CASECENTER|CASECENTER FACILITY|<time>||ACK^R22^ACK|<id>|P|2.8|||NE|NE||UNICODE UTF-8
MSA|AA|1932
