# HL7 v2.5.1 chapter 2, 2.15.9.9: MSH-9 is required. MSA beside a PID makes no acknowledgement of it. 2.15.9.10: without MSH-10 MSA-2 is empty.
MSH|^~\&|||||<time>||ACK|<id>|P|2.5.1
MSA|AE
ERR||MSH^1^9|101^Required field missing^HL70357|E||||MSH-9: required field is missing
