# HL7 v2.5.1 chapter 2, 2.9.3 and 2.15.9.18: what stands in MSH-18 is no name of a character set, so it is not given back. MSH-15 is not in table
# 0155 and not empty: always; MSH-16 is empty: never.
MSH|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||ACK^A01^ACK|<id>|P|2.5.1 PID|||NE|NE
MSA|CA|G12-1
