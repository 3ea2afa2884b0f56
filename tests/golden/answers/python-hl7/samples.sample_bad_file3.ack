# HL7 v2.5.1 chapter 2, 2.10.3.1: a file of segments without a message.
FHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>
MSH|^~\&||AUSDHSV||ABCHS|<time>||ACK|<id>|P|2.5.1
MSA|AE
ERR|||100^Segment sequence error^HL70357|E||||segments stand outside of all messages
BTS|1
FTS|1
