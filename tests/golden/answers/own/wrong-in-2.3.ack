# HL7 v2.3 chapter 2, 2.24.2 (MSA-3 has the text) and 2.24.3 (ERR-1 has segment, sequence, field and code).
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK|<id>|P|2.3
MSA|AE|G7-1|MSH-9: required field is missing
ERR|MSH^1^9^101&Required field missing&HL70357
