"""The SOP general ledger: ADI files go up, its answers come back into Kafka (PRI-11).

    manifest → upload (find, then send) → answer: lines' statuses and acknowledgements, in one transaction → Kafka

It is the CSV that goes up, not its twin: only the CSV names each line, and the general ledger answers by line. The
workbook is for people. A day that is not closed has no file, and so cannot go up.
"""
