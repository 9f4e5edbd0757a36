"""Dealers, their accounts with Billing and their requisites, by DLR-01 to DLR-03; and what Billing must be asked."""

import json

from tests.torture.verifier.model import ACCEPTED, Fields, Input, Model, Rule, Sent, Verdict, refused

STEPS = ("client", "payer", "contract")
CREATE = {"client": "CreateClient", "payer": "CreatePayer", "contract": "CreateContract"}
KINDS = ("COMMISSION", "DEPOSIT", "SETTLEMENT")


def call(name: str, fields: Fields) -> Sent:
    """What Billing is asked for, be it read or expected."""
    said = {key: value for key, value in fields.items() if key not in ("call_id", "dealer_id", "account")}
    return Sent(name, fields["dealer_id"], fields["account"], fields["call_id"], json.dumps(said, sort_keys=True))


def register(model: Model, given: Input) -> Verdict:
    fields, dealer = given.fields, given.fields["dealer_id"]
    if dealer not in model.facts.dealers or fields["cme_dealer_id"] != f"cme-{dealer}":
        return refused("unknown_dealer")
    if given.book in model.dealers:
        return refused("already_exists")
    model.dealers[given.book] = {"cme": fields["cme_dealer_id"], "version": 1, "requisites": fields["requisites"]}
    return Verdict(ACCEPTED, sent=(_ask(model, given.book, dealer, "COMMISSION", "client"),))


def add_fast_buyout(model: Model, given: Input) -> Verdict:
    if given.book not in model.dealers:
        return refused("not_found")
    if f"{given.book}|DEPOSIT" in model.accounts:
        return refused("already_exists")
    dealer = given.fields["dealer_id"]
    return Verdict(
        ACCEPTED, sent=tuple(_ask(model, given.book, dealer, kind, "client") for kind in ("DEPOSIT", "SETTLEMENT"))
    )


def update(model: Model, given: Input) -> Verdict:
    known, dealer = model.dealers.get(given.book), given.fields["dealer_id"]
    if known is None:
        return refused("not_found")
    known["version"], known["requisites"] = known["version"] + 1, given.fields["requisites"]
    sent = []
    for kind in KINDS:
        account = model.accounts.get(f"{given.book}|{kind}")
        if not account or account["state"] not in ("stopped", "open") or account["sent"]:
            continue
        sent.append(_mend(model, given.book, dealer, kind) if account["state"] == "stopped"
                    else _send(model, given.book, dealer, kind))  # fmt: skip
    return Verdict(ACCEPTED, sent=tuple(sent))


def hear(model: Model, given: Input) -> Verdict:
    """An answer about an account; what is not awaited changes nothing."""
    kind, book, dealer = given.fields["account"], given.book, given.fields["dealer_id"]
    account, is_done = model.accounts.get(f"{book}|{kind}"), given.name == "BillingDone"
    if account is None or given.fields["call_id"] != account["awaits"]:
        return Verdict(ACCEPTED)
    newest = model.dealers[book]["version"]
    account["awaits"] = None
    if account["sent"]:
        account["sent"] = False
        if is_done:
            account["version"] = account["asked"]
        if newest > account["asked"]:
            return Verdict(ACCEPTED, sent=(_send(model, book, dealer, kind),))
        is_mended = is_done and account["state"] == "stopped"
        return Verdict(ACCEPTED, sent=(_ask(model, book, dealer, kind, "contract"),) if is_mended else ())
    if not is_done:
        account["state"] = "stopped"
        return Verdict(ACCEPTED, sent=() if newest == account["asked"] else (_mend(model, book, dealer, kind),))
    account[account["step"]] = given.fields["billing_id"]
    if account["step"] != "contract":
        following = STEPS[STEPS.index(account["step"]) + 1]
        return Verdict(ACCEPTED, sent=(_ask(model, book, dealer, kind, following),))
    account["state"], account["asked"] = "open", account["version"]
    return Verdict(ACCEPTED, sent=(_send(model, book, dealer, kind),) if newest > account["version"] else ())


def _mend(model: Model, book: str, dealer: str, kind: str) -> Sent:
    """What was refused, with the newest requisites; of a contract they are its payer's, who hears of them first."""
    step = model.accounts[f"{book}|{kind}"]["step"]
    return _send(model, book, dealer, kind) if step == "contract" else _ask(model, book, dealer, kind, step)


def _ask(model: Model, book: str, dealer: str, kind: str, step: str) -> Sent:
    """A contract is asked for with the requisites that its payer was sent last."""
    known = model.dealers[book]
    account = model.accounts.setdefault(
        f"{book}|{kind}", {"client": None, "payer": None, "contract": None, "sent": False}
    )
    if step == "client":
        account["version"] = known["version"]
    version = account["asked"] if step == "contract" else known["version"]
    call_id = f"{dealer}/{kind}/{step}/{version}"
    account |= {"state": step, "step": step, "asked": version, "awaits": call_id}
    fields: Fields = {"call_id": call_id, "dealer_id": dealer, "account": kind}
    if step != "client":
        fields["client_id"] = account["client"]
    if step == "contract":
        fields["payer_id"] = account["payer"]
    else:
        fields["requisites"] = known["requisites"]
    return call(CREATE[step], fields)


def _send(model: Model, book: str, dealer: str, kind: str) -> Sent:
    known, account = model.dealers[book], model.accounts[f"{book}|{kind}"]
    call_id = f"{dealer}/{kind}/requisites/{known['version']}"
    account |= {"asked": known["version"], "sent": True, "awaits": call_id}
    fields = {"call_id": call_id, "dealer_id": dealer, "account": kind, "client_id": account["client"],
              "payer_id": account["payer"], "version": known["version"],
              "requisites": known["requisites"]}  # fmt: skip
    return call("ChangePayer", fields)


RULES: dict[str, Rule] = {
    "RegisterDealer": register,
    "AddFastBuyout": add_fast_buyout,
    "UpdateRequisites": update,
}
