"""Why a command is refused: one list for all rooms, in order of precedence. The first reason that holds is given."""

from enum import StrEnum


class Reason(StrEnum):
    """A refusal's reason (BEY-03). On the wire it is its value, a string, so that a new reason breaks no reader."""

    # the command itself
    OTHER_CONTENT_UNDER_THIS_ID = "other_content_under_this_id"
    CURRENCY_MISMATCH = "currency_mismatch"
    EXPIRES_IN_THE_PAST = "expires_in_the_past"
    CONCLUDED_IN_THE_FUTURE = "concluded_in_the_future"
    # what it speaks of
    UNKNOWN_DEALER = "unknown_dealer"
    UNKNOWN_PRISONER = "unknown_prisoner"
    UNKNOWN_SUPPLIER = "unknown_supplier"
    UNKNOWN_VEHICLE = "unknown_vehicle"
    NO_PRICE = "no_price"
    NOT_A_MEMBER = "not_a_member"
    ALREADY_EXISTS = "already_exists"
    NOT_FOUND = "not_found"
    WRONG_STATE = "wrong_state"
    ACCOUNT_NOT_OPEN = "account_not_open"
    # who may, and by what rule
    NOT_PERMITTED = "not_permitted"
    NO_ADVANCE_POLICY = "no_advance_policy"
    NOT_AUTHORISED = "not_authorised"
    NO_GL_ACCOUNT = "no_gl_account"
    NO_COMMISSION_RATE = "no_commission_rate"
    NO_COMMISSION_POLICY = "no_commission_policy"
    REFUSED_BY_BILLING = "refused_by_billing"
    # the money
    NO_SUCH_LOCK = "no_such_lock"
    EXCEEDS_LOCK = "exceeds_lock"
    OVER_LIMIT = "over_limit"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ADVANCE_TOO_LARGE = "advance_too_large"
    EXCEEDS_PURCHASE = "exceeds_purchase"
    # our own bounds
    TOO_MANY_LOTS = "too_many_lots"
    TOO_MANY_WAITING = "too_many_waiting"
    TOO_MANY_ADVANCES = "too_many_advances"
    TOO_MANY_REFUNDS = "too_many_refunds"
    AMOUNT_TOO_LARGE = "amount_too_large"
