# HL7 v2.5.1 chapter 2, 2.10.3.1: a batch may have no messages.
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
BTS|0
