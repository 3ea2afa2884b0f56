# HL7 v2.5.1 chapter 2, 2.10.3.1: a batch is made of messages, and these segments are of none. 2.10.3.3: the answer is a batch; BHS-12 refers to
# BHS-11. The error is about the batch as a whole, so MSA-2 is its control id.
BHS|^~\&||AUSDHSV||ABCHS|<time>||||<id>|abchs20070101123401-1
MSH|^~\&||AUSDHSV||ABCHS|<time>||ACK|<id>|P|2.5.1
MSA|AE|abchs20070101123401-1
ERR|||100^Segment sequence error^HL70357|E||||segments stand outside of all messages
BTS|1
