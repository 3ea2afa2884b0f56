# HL7 v2.5.1 chapter 2, 2.10.3.3 c): the response batch has acknowledgements only of the messages with errors.
FHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|F-1
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK|<id>|P|2.5.1
MSA|AE|G1-2
ERR||MSH^1^9|101^Required field missing^HL70357|E||||MSH-9: required field is missing
BTS|1
FTS|1
