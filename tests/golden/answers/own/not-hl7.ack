# HL7 v2.5.1 chapter 2, 2.15.9: a message begins with MSH.
MSH|^~\&|||||<time>||ACK|<id>|P|2.5.1
MSA|AR
ERR|||100^Segment sequence error^HL70357|E||||this is no HL7 v2 message: no usable MSH
