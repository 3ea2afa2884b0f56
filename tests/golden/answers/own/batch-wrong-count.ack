# HL7 v2.5.1 chapter 2, 2.15.3.1 (BTS-1): the count is wrong, and a finding stands beside the messages.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G3-1
BTS|1
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-2
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G3-2
BTS|1
