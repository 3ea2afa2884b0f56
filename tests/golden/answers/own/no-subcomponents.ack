# HL7 v2.5.1 chapter 2, 2.15.9.2: MSH-2 with three characters has no subcomponents.
MSH|^~\|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G6-1
