# A byte order mark before MSH, lines that end with LF, HL7 v2.3: chapter 2, 2.24.1.9: MSH-9 has no structure yet.
MSH|^~\&|||AccMgr|1|<time>||ACK^A01|<id>|P|2.3
MSA|AA|599102
