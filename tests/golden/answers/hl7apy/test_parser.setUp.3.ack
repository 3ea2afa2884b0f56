# HL7 v2.5.1 chapter 2, 2.9.2: MSH-15 and MSH-16 are empty, so one application acknowledgement; a response that has content is a message as any
# other. 2.15.9.2: the encoding characters are given back as declared, the fifth (v2.7, truncation) too. 2.15.9.11 and .12: so are MSH-11 and MSH-12.
MSH|^~\&#|REC APP|REC FAC|SEND APP|SEND FAC|<time>||ACK^K22^ACK|<id>|D|2.7
MSA|AA|1234
