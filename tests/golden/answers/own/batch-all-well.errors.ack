# HL7 v2.5.1 chapter 2, 2.10.3.3 c): "an empty acknowledgment batch may be created".
BHS|^~\&|HILUM|ST-ANNA|ADT|WARD|<time>||||<id>|B-1
BTS|0
