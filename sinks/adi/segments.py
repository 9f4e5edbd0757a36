"""The constants of a journal file for the SOP general ledger, each in one place.

Source: ministryofjustice/money-to-prisoners-bank-admin, `adi_config.py`, `adi.py`, the sheet `WebADI` of
`adi_template.xlsm` and `settings/base.py`. Cost centre and account come with each line.
"""

from typing import Final

# ---- segments of the SOP chart of accounts; segment 2 is the line's cost centre, segment 3 its account
ENTITY: Final = "0210"
OBJECTIVE: Final = "0000000"
ANALYSIS: Final = "00000000"
INTERCOMPANY: Final = "0000"
SPARE: Final = "0000000"

# ---- context and header
BALANCE_TYPE: Final = "A"
DATA_ACCESS_SET: Final = "MOJ_SOP_SOB"
CHART_OF_ACCOUNTS: Final = "SOP COA Accounting Flexfield"
LEDGER: Final = "MOJ_SOP_SOB"
CATEGORY: Final = "Adjustment"
SOURCE: Final = "Spreadsheet"
CURRENCY: Final = "GBP"

UPLOAD: Final = "O"
"""The flag of a line that is to be uploaded."""

JOURNAL_OWNER: Final = "578/MTP"
FILE_OWNER: Final = "0210_SSCL"
