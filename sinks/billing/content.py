"""What a call says, as bytes that are kept until it is answered, and their digest, which stays (DLR-01). Pure.

Fields that say nothing are left out, so that a contract which grows by an optional field gives the same bytes.
"""

from hashlib import sha256
from typing import Any, Final, TypeAlias

import msgspec
import orjson

from schemas.billing import (
    ChangePayer,
    CreateClient,
    CreateContract,
    CreatePayer,
    IssueBill,
    ReportCommission,
    WithdrawBill,
)
from schemas.dealer_accounts import Requisites
from schemas.fields import Message

Wanted: TypeAlias = (
    CreateClient | CreatePayer | CreateContract | ChangePayer | IssueBill | WithdrawBill | ReportCommission
)
KINDS: Final[dict[str, type[Wanted]]] = {
    kind.__name__: kind
    for kind in (CreateClient, CreatePayer, CreateContract, ChangePayer, IssueBill, WithdrawBill, ReportCommission)
}


def content(wanted: Wanted) -> bytes:
    """The call as JSON."""
    return orjson.dumps(_said(msgspec.to_builtins(wanted, enc_hook=_part)))


def digest(wanted: Wanted) -> str:
    """What tells two calls apart that claim to be one."""
    return sha256(f"{type(wanted).__name__} ".encode() + content(wanted)).hexdigest()


def wanted(kind: str, said: bytes) -> Wanted:
    """The call again."""
    return msgspec.convert(orjson.loads(said), KINDS[kind], dec_hook=lambda part, fields: part.model_validate(fields))


def requisites(wanted: Wanted) -> Requisites | None:
    """The personal and bank data of a call."""
    return wanted.requisites if isinstance(wanted, CreateClient | CreatePayer | ChangePayer) else None


def _part(part: Message) -> Any:
    return part.model_dump(mode="json")


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _said(part) for name, part in value.items() if part is not None}
    return value
