# HL7 v2.3.1 chapter 2, 2.24.1.2: five encoding characters are given back as declared. 2.24.1.9: in 2.3.1 MSH-9 has a structure. 2.24.1.18:
# MSH-18 says ASCII. 2.12.2 (enhanced mode): AL and AL, so a commit and an application acknowledgement.
MSH|^~\&#|RcvApp^1.2.3.4.6.2^ISO|RcvFac^1.2.3.4.6.1^ISO|SndApp^1.2.3.4.5.2^ISO|SndFac^1.2.3.4.5.1^ISO|<time>||ACK^O01^ACK|<id>|P|2.3.1|||NE|NE||ASCII
MSA|CA|5381904
--
MSH|^~\&#|RcvApp^1.2.3.4.6.2^ISO|RcvFac^1.2.3.4.6.1^ISO|SndApp^1.2.3.4.5.2^ISO|SndFac^1.2.3.4.5.1^ISO|<time>||ACK^O01^ACK|<id>|P|2.3.1|||NE|NE||ASCII
MSA|AA|5381904
