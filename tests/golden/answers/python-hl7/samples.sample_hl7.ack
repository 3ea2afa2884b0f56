# HL7 v2.5.1 chapter 2, 2.9.2: MSH-15 and MSH-16 are empty: one application acknowledgement.
MSH|^~\&|GHH OE|BLDG4|GHH LAB|ELAB-3|<time>||ACK^R01^ACK|<id>|P|2.4
MSA|AA|CNTRL-3456
