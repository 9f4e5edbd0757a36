"""The pure ledger, driven by scripts of movements (`script.py`) and, where it must refuse to go on, by hand."""
