"""Commission's rates and policy as change data brings them, at whatever time, and the rows that they concern (DLR-04).

A partition's deals or months are walked, but only when something new is said: that is seldom, and they are few.
"""

from msgspec.structs import replace

from schemas.dealer_reference import CommissionPolicy, CommissionRate
from streams.dealer_billing import commission, deal
from streams.dealer_billing.commission import Month
from streams.dealer_billing.deal_row import Deal
from streams.dealer_billing.deals_room import Listed
from streams.ledger.tables import put


def hear_rate(rates: Listed[CommissionRate], deals: Listed[Deal], rate_id: str, rate: CommissionRate | None) -> None:
    """Keep a rate; None drops it. Deals that it applies to, and that were charged without it, are due for a look."""
    if rates.get(rate_id) == rate:
        return
    put(rates, rate_id, rate)
    if rate is not None:
        for key in deals:
            if (row := deals.get(key)) is not None:
                deals[key] = deal.look_again_at(row, rate)


def hear_policy(
    policies: Listed[CommissionPolicy], months: Listed[Month], policy_id: str, policy: CommissionPolicy | None
) -> None:
    """Keep the policy; None drops it, so that nothing is billed. Months that are on no bill are billed as it says."""
    if policies.get(policy_id) == policy:
        return
    put(policies, policy_id, policy)
    if policy is not None:
        for key in months:
            row, month = months.get(key), key.split("|")[1]
            if row is not None and row.bill_id is None:
                months[key] = replace(row, bill_at=commission.bill_at(policy, month))
