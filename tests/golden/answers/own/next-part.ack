# HL7 v2.5.1 chapter 2, 2.15.9.14: MSH-14 says that this is the next part of another message.
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AE|G11-1
ERR||MSH^1^14|207^Application internal error^HL70357|E||||MSH-14: a message that comes in several parts is not put together: send it whole
