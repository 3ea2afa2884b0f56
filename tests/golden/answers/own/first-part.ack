# HL7 v2.5.1 chapter 2, 2.10.2 (DSC, continuation): parts are not put together here, and that is said.
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1
MSA|AE|G10-1
ERR||DSC^1^1|207^Application internal error^HL70357|E||||DSC-1: a message that comes in several parts is not put together: send it whole
