# HL7 v2.5.1 chapter 2, 2.15.9.10: MSH-10 is required. 2.15.9.12: so is MSH-12; a message without it is read all the same.
MSH|^~\&|REC APP|REC FAC|SEND APP|SEND FAC|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AE
ERR||MSH^1^10|101^Required field missing^HL70357|E||||MSH-10: required field is missing
