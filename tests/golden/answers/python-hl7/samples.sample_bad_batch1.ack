# HL7 v2.5.1 chapter 2, 2.10.3.1: a BHS cuts the only message off, and what follows is of none. Nothing is taken. The message itself wants no answer
# (2.9.3: NE, NE), the second batch as a whole has one.
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>|abchs20070101123401-1
BTS|0
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>|abchs20070101123401-1
MSH|^~\&||AUSDHSV||ABCHS|<time>||ACK|<id>|P|2.5
MSA|AE|abchs20070101123401-1
ERR|||100^Segment sequence error^HL70357|E||||segments stand outside of all messages
BTS|1
