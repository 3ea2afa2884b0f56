# HL7 v2.5.1 chapter 2, 2.15.9.18 and table 0211; HL7 v2.7 chapter 2: UTF-16 is not for messages whose bytes are looked at one by one.
MSH|^~\&|||||<time>||ACK|<id>|P|2.5.1
MSA|AR
ERR|||207^Application internal error^HL70357|E||||UTF-16 and UTF-32 are not taken: send UTF-8 or another character set that extends ASCII
