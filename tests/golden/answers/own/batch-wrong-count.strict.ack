# HL7 v2.5.1 chapter 2, 2.15.3.1 (BTS-1), where the site refuses such a batch: 100 of table 0357, messages are missing. The other batch is
# taken.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AE|G3-1
ERR||BTS^1^1|100^Segment sequence error^HL70357|E||||BTS-1: the number of messages or batches that came is another
BTS|1
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-2
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G3-2
BTS|1
