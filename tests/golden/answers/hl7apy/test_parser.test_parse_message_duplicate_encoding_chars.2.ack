# HL7 v2.5.1 chapter 2, 2.15.9.2 (MSH-2): each character has one role. The third and fourth repeat others, so the answer declares
# an escape character of its own and no subcomponents. 2.9.3: MSH-16 is AL, MSH-15 empty: one application acknowledgement.
MSH|^&\|REC APP|REC FAC|SEND APP|SEND FAC|<time>||ACK^A01^ACK|<id>|P|2.7|||NE|NE
MSA|AA|0123456789
