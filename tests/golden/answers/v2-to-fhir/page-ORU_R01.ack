# HL7 v2.5.1 chapter 2, 2.15.9.2: five encoding characters are given back as declared. 2.15.9.18: MSH-18 says UTF-8. 2.15.9.8: MSH-8 is the sender's
# own and not given back. 2.9.3: AL and AL, so a commit and an application acknowledgement.
MSH|^~\&#|OrdApp^1.2.3.4.5^ISO|OrdFac^2.3.4.4^ISO|LabApp^9.8.7.6.5^ISO|LabFac^8.7.6.4^ISO|<time>||ACK^R01^ACK|<id>|P|2.5.1|||NE|NE||UNICODE UTF-8
MSA|CA|20251014154001-425
--
MSH|^~\&#|OrdApp^1.2.3.4.5^ISO|OrdFac^2.3.4.4^ISO|LabApp^9.8.7.6.5^ISO|LabFac^8.7.6.4^ISO|<time>||ACK^R01^ACK|<id>|P|2.5.1|||NE|NE||UNICODE UTF-8
MSA|AA|20251014154001-425
