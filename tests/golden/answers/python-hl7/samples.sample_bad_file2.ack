# HL7 v2.5.1 chapter 2, 2.10.3.1: a second FHS cuts the message off. Two files came, so two are answered.
FHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>|abchs20070101123401-1
BTS|0
FTS|1
FHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>
MSH|^~\&||AUSDHSV||ABCHS|<time>||ACK|<id>|P|2.5
MSA|AE
ERR|||100^Segment sequence error^HL70357|E||||segments stand outside of all messages
BTS|1
FTS|1
