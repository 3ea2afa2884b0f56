# HL7 v2.5.1 chapter 2, 2.9.2.2 and 2.10.3.3 a), where the site answers after processing: one batch when everything is
# decided. What the application refuses is AE; 2.15.5 (ERR): its place in ERR-2, 101 of table 0357 in ERR-3.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AA|G13-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AE|G13-2
ERR||PID^1^3|101^Required field missing^HL70357|E||||a patient needs an identifier
BTS|2
