"""Prison finance against a naive one, over stories in which all commands occur, and the files that come of them.

`naive`, `rules` and `afterwards` are the model and import nothing of the product; `story` tells both sides the same and
compares them after every step; `teller` draws what happens; `cabinet` cuts ADI files, and `files` reads them back.
"""
