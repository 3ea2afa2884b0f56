# HL7 v2.5.1 chapter 2, 2.9.2: MSH-9 is ACK. An acknowledgement is not acknowledged.
