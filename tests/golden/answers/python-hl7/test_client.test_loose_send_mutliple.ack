# HL7 v2.5.1 chapter 2, 2.10.3.1: BHS and BTS are optional, so two messages in a frame are a batch. 2.10.3.3: the answer is one. 2.15.9.9: MSH-9 is
# required.
BHS|^~\&|||1||<time>||||<id>
MSH|^~\&|||1||<time>||ACK|<id>|P|2.5.1
MSA|AE
ERR||MSH^1^9|101^Required field missing^HL70357|E||||MSH-9: required field is missing
MSH|^~\&|||2||<time>||ACK|<id>|P|2.5.1
MSA|AE
ERR||MSH^1^9|101^Required field missing^HL70357|E||||MSH-9: required field is missing
BTS|2
