# HL7 v2.5.1 chapter 2, 2.15.9.2: components and repetitions cannot share a character. Nothing of the header can be read, so MSA-2 is empty.
MSH|^~\&|||||<time>||ACK|<id>|P|2.5.1
MSA|AR
ERR|||100^Segment sequence error^HL70357|E||||this is no HL7 v2 message: no usable MSH
