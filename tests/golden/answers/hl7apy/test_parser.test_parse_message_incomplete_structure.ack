# HL7 v2.5.1 chapter 2, 2.15.9.10: MSH-10 is required, and without it MSA-2 is empty. 2.9.2.2: AE, the content is wrong. 2.15.5 (ERR): place in
# ERR-2, 101 of table 0357 in ERR-3. 2.15.9.11 and .12: MSH-11 and MSH-12 are required, so an answer has them all the same.
MSH|^~\&|REC APP|REC FAC|SEND APP|SEND FAC|<time>||ACK|<id>|P|2.5.1
MSA|AE
ERR||MSH^1^10|101^Required field missing^HL70357|E||||MSH-10: required field is missing
