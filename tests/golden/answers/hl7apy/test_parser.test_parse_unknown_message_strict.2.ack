# HL7 v2.5.1 chapter 2, 2.15.9.9: MSH-9 is required. 2.9.3: MSH-16 is AL, MSH-15 empty: an application acknowledgement.
MSH|^~\&|REC APP|REC FAC|SEND APP|SEND FAC|<time>||ACK|<id>|P|2.6|||NE|NE
MSA|AE|0123456789
ERR||MSH^1^9|101^Required field missing^HL70357|E||||MSH-9: required field is missing
