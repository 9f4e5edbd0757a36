"""The whole story of one purchase: what was asked, decided, written, filed, uploaded, answered and mailed, in order."""
