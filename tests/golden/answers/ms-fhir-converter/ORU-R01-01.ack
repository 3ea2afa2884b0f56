# HL7 v2.5.1 chapter 2, 2.9.3: MSH-15 is AL, MSH-16 is NE: a commit acknowledgement alone. A control id longer than 20 characters is given back whole.
MSH|^~\&|IA.DOH.IDSS^2.16.840.1.114222.4.3.3.19^ISO|IA DOH^2.16.840.1.114222.4.1.3650^ISO|IA PHIMS Stage^2.16.840.1.114222.4.3.3.5.1.2^ISO|IA Public Health Lab^2.16.840.1.114222.4.1.10411^ISO|<time>||ACK^R01^ACK|<id>|T|2.5.1|||NE|NE
MSA|CA|2.16.840.1.114222.4.3.3.5.1.2-20120314235954.325
