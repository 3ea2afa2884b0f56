# HL7 v2.5.1 chapter 2, 2.15.9.2: five encoding characters are given back as declared. 2.15.9.18: MSH-18 says ASCII and the message has other bytes
# too; they are kept, and a finding stands beside the message. 2.9.3: AL and AL.
MSH|^~\&#|RcvApp^1.2.3.4.6.2^ISO|RcvFac^1.2.3.4.6.1^ISO|SndApp^1.2.3.4.5.2^ISO|SndFac^1.2.3.4.5.1^ISO|<time>||ACK^O21^ACK|<id>|P|2.5.1|||NE|NE||ASCII
MSA|CA|5381903
--
MSH|^~\&#|RcvApp^1.2.3.4.6.2^ISO|RcvFac^1.2.3.4.6.1^ISO|SndApp^1.2.3.4.5.2^ISO|SndFac^1.2.3.4.5.1^ISO|<time>||ACK^O21^ACK|<id>|P|2.5.1|||NE|NE||ASCII
MSA|AA|5381903
