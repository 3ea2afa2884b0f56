# HL7 v2.5.1 chapter 2, 2.10.3.1 and 2.10.3.3, as a file: FHS-11 is empty, so FHS-12 is.
FHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>|abchs20070101123401-1
MSH|^~\&||AUSDHSV||ABCHS|<time>||ACK|<id>|P|2.5.1
MSA|AE|abchs20070101123401-1
ERR|||100^Segment sequence error^HL70357|E||||segments stand outside of all messages
BTS|1
FTS|1
