# HL7 v2.5.1 chapter 2, 2.9.3: MSH-15 and MSH-16 are AL: a commit acknowledgement, then an application acknowledgement, which is a message of
# its own with its own MSH-10. Components of MSH-3 to MSH-6 are given back whole.
MSH|^~\&|LAN^23D0650909^CLIA|MDHHS^2.16.840.1.114222.4.3.2.2.3.161.1^ISO|MDHHSDataHub|MDHHS|<time>||ACK^O21^ACK|<id>|T|2.5.1|||NE|NE
MSA|CA|TC09SAPartAIG030101AA
--
MSH|^~\&|LAN^23D0650909^CLIA|MDHHS^2.16.840.1.114222.4.3.2.2.3.161.1^ISO|MDHHSDataHub|MDHHS|<time>||ACK^O21^ACK|<id>|T|2.5.1|||NE|NE
MSA|AA|TC09SAPartAIG030101AA
