"""Dealers' accounts with Billing as their events open them: each once, with a client, payer and contract of its own."""

from collections.abc import Iterator

from streams.audit.evidence import Row, Told
from streams.audit.findings import Finding, Kind

IDS = ("client_id", "payer_id", "contract_id")


class Openings:
    """Takes what dealers' books tell, each book's events in their order (DLR-01, DLR-02)."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[str, Row]] = {}
        """Of each account the last step that was asked for, `open` in the end, and the ids that it had then."""
        self._given: dict[tuple[str, str, str], str] = {}
        """By dealer, kind and id: the account to which Billing gave it."""

    def enter(self, told: Told) -> Iterator[Finding]:
        """Take one event."""
        if told.name not in ("AccountOpening", "AccountOpened"):
            return
        fields = told.fields
        key = f"dealer:{fields['dealer_id']}|{fields['account']}"
        step, has = self._steps.get(key, (None, {}))
        if step == "open":
            yield Finding(Kind.ACCOUNTS_DIFFER, key, "opened once", told.name)
        ids = {name: fields.get(name) for name in IDS}
        for name, before in has.items():
            if before is not None and ids[name] != before:
                yield Finding(Kind.ACCOUNTS_DIFFER, f"{key}, {name}", str(before), str(ids[name]))
        if told.name == "AccountOpened" and step is not None and step != "contract":
            yield Finding(Kind.ACCOUNTS_DIFFER, key, "opened after its contract was asked for", f"after its {step}")
        self._steps[key] = ("open", ids) if told.name == "AccountOpened" else (fields["step"], ids)
        for name, given in ids.items():
            if given is None:
                continue
            owner = self._given.setdefault((fields["dealer_id"], name, given), key)
            if owner != key:
                yield Finding(Kind.ACCOUNTS_DIFFER, f"{key}, {name}", "one of its own", f"that of {owner}")
