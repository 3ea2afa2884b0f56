# HL7 v2.5.1 chapter 2, 2.5 and 2.15.9: the sender's delimiters are used: ! for fields, $ for components. So ^ separates nothing, MSH-9.1 is
# no code of table 0076, and MSH-9 of the answer has no event. 2.9.2: original mode.
MSH!$r?@!LB!LB!LIP!LIP!<time>!!ACK!<id>!D!2.5
MSA!AA!430102
