# HL7 v2.5.1 chapter 2, 2.9.2.2 and 2.10.3.3 a), where the site answers when a message is stored.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G13-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G13-2
BTS|2
