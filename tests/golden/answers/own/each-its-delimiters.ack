# HL7 v2.5.1 chapter 2, 2.5: each message has its own delimiters, and so has its acknowledgement.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G5-1
MSH$%~\&$HILUM$ST-ANNA$ADT$WARD$<time>$$ACK%A01%ACK$<id>$P$2.5.1
MSA$AA$G5-2
BTS|2
