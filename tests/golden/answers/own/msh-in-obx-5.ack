# HL7 v2.5.1 chapter 2, 2.10.3.1: messages are told apart by segments, never by text.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^R01^ACK|<id>|P|2.5.1
MSA|AA|G4-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G4-2
BTS|2
