# HL7 v2.5.1 chapter 2, 2.9.2: MSH-15 and MSH-16 are empty, so one application acknowledgement. The message carries MSA and content beside it: a response,
# which is a message as any other to who asked nothing.
MSH|^~\&|RECEIVING APP|RECEIVING FAC|SENDING APP|SENDING FAC|<time>||ACK^K22^ACK|<id>|P|2.5
MSA|AA|11111111
