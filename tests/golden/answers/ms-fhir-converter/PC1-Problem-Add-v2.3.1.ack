# HL7 v2.3.1 chapter 2, 2.24.1.9: from here on MSH-9 names the structure. MSH-14 is a blank, and says nothing.
MSH|^~\&|||||<time>||ACK^PC1^ACK|<id>|P|2.3.1
MSA|AA|331
