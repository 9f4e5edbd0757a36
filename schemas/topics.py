"""Every topic, declared once: its key, its messages, its one writer, how long it is kept (PIPE-01)."""

from enum import StrEnum
from typing import NamedTuple

from schemas import (
    billing,
    clock,
    dealer_accounts,
    dealer_billing,
    dealer_bills,
    dealer_deposits,
    dealer_projections,
    dealer_reference,
    general_ledger,
    ledger,
    letters,
    lots,
    mobility,
    prison_advances,
    prison_batches,
    prison_finance,
    prison_reference,
)
from schemas.avro import full_name
from schemas.fields import Compatibility, Contract

PARTITIONS = 8
"""Partitions of every topic and table. All are equal, so that all are co-partitioned."""

DAY_MS = 86_400_000
FOREVER_MS = -1
BROKER_TIME = {"message.timestamp.type": "LogAppendTime"}


class Kind(StrEnum):
    """The third part of a topic's name, and with it who may change its schemas how (PIPE-12)."""

    COMMAND = "command"
    EVENT = "event"
    JOURNAL = "journal"
    PROJECTION = "projection"
    REFERENCE = "reference"
    TICK = "tick"
    DEAD_LETTER = "dead-letter"


class Cleanup(StrEnum):
    DELETE = "delete"
    COMPACT = "compact"


class Spread(StrEnum):
    """Which partitions a message is written to."""

    BY_KEY = "by_key"
    EVERY_PARTITION = "every_partition"


class Key(NamedTuple):
    """`prefix:value-of-field` in UTF-8; without a prefix the field's value alone."""

    prefix: str
    field: str

    def of(self, message: Contract) -> str | None:
        """The key that a record of this message must have; None where it speaks to a whole partition."""
        value = getattr(message, self.field, None)
        if value is None:
            return None
        return f"{self.prefix}:{value}" if self.prefix else str(value)


class Topic(NamedTuple):
    """One topic. `key` is None where a message speaks to a whole partition."""

    name: str
    key: Key | None
    messages: tuple[type[Contract], ...]
    writer: str
    retention_ms: int = FOREVER_MS
    cleanup: Cleanup = Cleanup.DELETE
    spread: Spread = Spread.BY_KEY

    @property
    def kind(self) -> Kind:
        return Kind(self.name.split(".")[-2])

    @property
    def compatibility(self) -> Compatibility:
        """What a new schema version may change: the readers of commands are ours, those of events are not."""
        return "BACKWARD_TRANSITIVE" if self.kind is Kind.COMMAND else "FULL_TRANSITIVE"

    def subject(self, message: type[Contract]) -> str:
        """The registry subject (TopicRecordNameStrategy)."""
        return f"{self.name}-{full_name(message)}"

    @property
    def config(self) -> dict[str, str]:
        """Kafka's configuration of the topic. Records carry the broker's time: no other clock decides retention."""
        if self.cleanup is Cleanup.COMPACT:
            return {**BROKER_TIME, "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.2"}
        return {**BROKER_TIME, "cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}


GROUP = Key("group", "group_id")
DEALER = Key("dealer", "dealer_id")
LOT = Key("lot", "lot_id")
PRISONER = Key("prisoner", "prisoner_id")
BATCH = Key("batch", "batch_id")

# ---- mobility

DEPOSITS = Topic("mobility.deposit.command.v1", GROUP, (mobility.DepositBudget,), "budget service")
TRIPS = Topic(
    "mobility.trip.event.v1",
    GROUP,
    (mobility.TripStarted, mobility.TripEnded, mobility.TripCancelled),
    "trip service",
)
VEHICLE_PRICES = Topic(
    "mobility.vehicle-price.reference.v1",
    Key("vehicle", "vehicle_id"),
    (mobility.VehiclePrice,),
    "millrace mobility",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
GROUP_MEMBERS = Topic(
    "mobility.group-member.reference.v1", GROUP, (mobility.GroupMember, mobility.GroupMemberLeft), "millrace mobility"
)
TRIP_PAYMENTS = Topic(
    "mobility.trip-payment.event.v1",
    GROUP,
    (
        mobility.BudgetDeposited,
        mobility.BudgetExpired,
        mobility.TripFundsLocked,
        mobility.TripEndWaits,
        mobility.TripSettled,
        mobility.TripReleased,
        mobility.Refused,
    ),
    "millrace mobility",
)
CARD_CHARGES = Topic("mobility.card-charge.command.v1", GROUP, (mobility.ChargeCard,), "millrace mobility")

# ---- dealer billing

DEALER_COMMANDS = Topic(
    "dealer_billing.dealer.command.v1",
    DEALER,
    (dealer_accounts.RegisterDealer, dealer_accounts.AddFastBuyout, dealer_accounts.UpdateRequisites),
    "dealer service",
)
BILLS = Topic("dealer_billing.bill.command.v1", DEALER, (dealer_bills.CreateBill,), "dealer service")
BILL_CORRECTIONS = Topic(
    "dealer_billing.bill-correction.command.v1",
    DEALER,
    (dealer_bills.VoidBill, dealer_bills.CorrectBill, dealer_bills.MatchPayment),
    "finance office",
)
BILLING_PAYMENTS = Topic(
    "dealer_billing.billing-payment.event.v1",
    DEALER,
    (dealer_billing.BillingPayment, dealer_deposits.DepositReceived, dealer_deposits.DepositReturned),
    "Billing",
)
BILLING_CALLS = Topic(
    "dealer_billing.billing-call.command.v1",
    DEALER,
    (
        billing.CreateClient,
        billing.CreatePayer,
        billing.CreateContract,
        billing.ChangePayer,
        billing.IssueBill,
        billing.WithdrawBill,
        billing.ReportCommission,
    ),
    "millrace dealer billing",
)
BILLING_ANSWERS = Topic(
    "dealer_billing.billing-answer.event.v1", DEALER, (billing.BillingDone, billing.BillingRefused), "Billing sink"
)
HANDED_PAYMENTS = Topic(
    "dealer_billing.handed-payment.command.v1", DEALER, (dealer_bills.HandOverPayment,), "millrace dealer billing"
)
LOT_DEALS = Topic(
    "dealer_billing.lot-deal.event.v1", LOT, (lots.DealConcluded, lots.LotPriceChanged, lots.LotWinnerChanged), "Lotus"
)
LOT_CHARGES = Topic(
    "dealer_billing.lot-charge.command.v1", DEALER, (lots.ChargeDeal, lots.TakeBackDeal), "millrace dealer billing"
)
LOT_ANSWERS = Topic("dealer_billing.lot-answer.event.v1", LOT, (lots.LotAnswer,), "millrace dealer billing")
COMMISSION_RATES = Topic(
    "dealer_billing.commission-rate.reference.v1",
    Key("commission-rate", "rate_id"),
    (dealer_reference.CommissionRate,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
COMMISSION_POLICIES = Topic(
    "dealer_billing.commission-policy.reference.v1",
    Key("commission-policy", "policy_id"),
    (dealer_reference.CommissionPolicy,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
DEALERS = Topic(
    "dealer_billing.dealer.reference.v1",
    DEALER,
    (dealer_billing.Dealer,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
)
DEPOSIT_TIERS = Topic(
    "dealer_billing.deposit-tier.reference.v1",
    Key("deposit-tier", "tier_id"),
    (dealer_deposits.DepositTier,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
DEALER_EVENTS = Topic(
    "dealer_billing.dealer.event.v1",
    DEALER,
    (
        dealer_accounts.DealerRegistered,
        dealer_accounts.RequisitesChanged,
        dealer_accounts.AccountOpening,
        dealer_accounts.AccountOpened,
        dealer_accounts.AccountStopped,
        dealer_accounts.RequisitesSent,
        dealer_accounts.RequisitesTaken,
        dealer_accounts.RequisitesRefused,
        dealer_deposits.DepositChanged,
        dealer_deposits.PriceSegmentGranted,
        dealer_deposits.PriceSegmentRevoked,
        billing.CallRefused,
    ),
    "millrace dealer billing",
)
DEAL_EVENTS = Topic(
    "dealer_billing.deal.event.v1",
    DEALER,
    (lots.DealCharged, lots.DealWaits, lots.DealTakenBack, lots.CommissionBilled, lots.CommissionUnbilled),
    "millrace dealer billing",
)
LOT_EVENTS = Topic(
    "dealer_billing.lot.event.v1",
    LOT,
    (lots.LotSold, lots.LotEventWaits, lots.LotDealAnswered, lots.LotRefused),
    "millrace dealer billing",
)
BILL_EVENTS = Topic(
    "dealer_billing.bill.event.v1",
    DEALER,
    (
        dealer_billing.Refused,
        dealer_bills.BillDrafted,
        dealer_bills.BillSent,
        dealer_bills.BillPaid,
        dealer_bills.BillPaidFromBalance,
        dealer_bills.PaymentCredited,
        dealer_bills.PaymentWaits,
        dealer_bills.PaymentHandedOver,
        dealer_bills.BillVoided,
        dealer_bills.BillCorrected,
    ),
    "millrace dealer billing",
)
PROJECTED_DEPOSITS = Topic(
    "dealer_billing.deposit.projection.v1",
    Key("", "id"),
    (dealer_deposits.ProjectedDeposit,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
)
PROJECTED_DEALERS = Topic(
    "dealer_billing.dealer.projection.v1",
    Key("", "id"),
    (dealer_projections.ProjectedDealer,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
)
PROJECTED_ACCOUNTS = Topic(
    "dealer_billing.account.projection.v1",
    Key("", "id"),
    (dealer_projections.ProjectedAccount,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
)
PROJECTED_BILLS = Topic(
    "dealer_billing.bill.projection.v1",
    Key("", "id"),
    (dealer_projections.ProjectedBill,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
)
PROJECTED_SUSPENSE = Topic(
    "dealer_billing.suspense.projection.v1",
    Key("", "id"),
    (dealer_projections.ProjectedSuspense,),
    "millrace dealer billing",
    cleanup=Cleanup.COMPACT,
)

# ---- prison finance

CREDITS = Topic(
    "prison_finance.credit.command.v1",
    PRISONER,
    (prison_finance.CreditPrisoner, prison_finance.MoveBetweenSubAccounts),
    "prison",
)
PURCHASES = Topic(
    "prison_finance.purchase.command.v1",
    PRISONER,
    (
        prison_finance.SubmitPurchase,
        prison_finance.AuthorisePurchase,
        prison_finance.CancelPurchase,
        prison_finance.RefundPurchase,
    ),
    "shop",
)
ADVANCES = Topic("prison_finance.advance.command.v1", PRISONER, (prison_advances.WriteOffAdvance,), "prison")
GL_ACKNOWLEDGEMENTS = Topic(
    "prison_finance.gl-acknowledgement.event.v1",
    PRISONER,
    (general_ledger.LinesProcessed, general_ledger.LinesRefused),
    "SOP sink",
)
GL_CORRECTIONS = Topic(
    "prison_finance.gl-correction.command.v1", PRISONER, (general_ledger.CorrectLines,), "finance office"
)
PRISONERS = Topic(
    "prison_finance.prisoner.reference.v1",
    PRISONER,
    (prison_reference.Prisoner,),
    "millrace prison finance",
    cleanup=Cleanup.COMPACT,
)
SUPPLIERS = Topic(
    "prison_finance.supplier.reference.v1",
    Key("supplier", "supplier_id"),
    (prison_reference.Supplier,),
    "millrace prison finance",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
PRISONS = Topic(
    "prison_finance.prison.reference.v1",
    Key("prison", "prison_id"),
    (prison_reference.Prison,),
    "millrace prison finance",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
OFFICERS = Topic(
    "prison_finance.officer.reference.v1",
    Key("officer", "officer_id"),
    (prison_reference.Officer,),
    "millrace prison finance",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
GL_ACCOUNTS = Topic(
    "prison_finance.gl-account.reference.v1",
    Key("gl-account", "purpose"),
    (prison_reference.GlAccount,),
    "millrace prison finance",
    cleanup=Cleanup.COMPACT,
    spread=Spread.EVERY_PARTITION,
)
PURCHASE_EVENTS = Topic(
    "prison_finance.purchase.event.v1",
    PRISONER,
    (
        prison_finance.PrisonerCredited,
        prison_finance.MovedBetweenSubAccounts,
        prison_finance.PurchasePending,
        prison_finance.PurchaseAuthorised,
        prison_finance.PurchaseVoided,
        prison_finance.PurchaseProcessed,
        prison_finance.PurchaseRefunded,
        prison_finance.Refused,
    ),
    "millrace prison finance",
)
ADVANCE_EVENTS = Topic(
    "prison_finance.advance.event.v1",
    PRISONER,
    (
        prison_advances.AdvancePending,
        prison_advances.AdvanceActive,
        prison_advances.AdvanceVoided,
        prison_advances.AdvanceRepaid,
        prison_advances.AdvanceWrittenOff,
    ),
    "millrace prison finance",
)
GL_LINES = Topic(
    "prison_finance.gl-line.event.v1",
    PRISONER,
    (general_ledger.GeneralLedgerLine, general_ledger.AccountingDayClosed),
    "millrace prison finance",
)
GL_TRANSACTIONS = Topic(
    "prison_finance.gl-transaction.event.v1",
    PRISONER,
    (general_ledger.TransactionProcessed, general_ledger.LinesAreRefused, general_ledger.LinesAreCorrected),
    "millrace prison finance",
)

BATCHES = Topic(
    "prison_finance.batch.command.v1",
    BATCH,
    (prison_batches.SubmitBatch, prison_batches.AuthoriseBatch, prison_batches.CancelBatch),
    "shop",
)
BATCHED_PURCHASES = Topic(
    "prison_finance.batched-purchase.command.v1",
    PRISONER,
    (prison_batches.BatchedSubmit, prison_batches.BatchedAuthorise, prison_batches.BatchedCancel),
    "millrace prison finance",
)
BATCH_ANSWERS = Topic(
    "prison_finance.batch-answer.event.v1", BATCH, (prison_batches.BatchAnswer,), "millrace prison finance"
)
BATCH_EVENTS = Topic(
    "prison_finance.batch.event.v1",
    BATCH,
    (
        prison_batches.BatchAsked,
        prison_batches.BatchDeadlineSet,
        prison_batches.BatchMemberAnswered,
        prison_batches.BatchAnswered,
        prison_batches.BatchRefused,
    ),
    "millrace prison finance",
)

# ---- all rooms

JOURNAL = Topic("ledger.decided.journal.v1", Key("", "book"), (ledger.Decided,), "millrace")
BALANCES = Topic(
    "ledger.balance.projection.v1", Key("", "id"), (ledger.AccountBalance,), "millrace", cleanup=Cleanup.COMPACT
)
OPEN_LOCKS = Topic(
    "ledger.open-lock.projection.v1", Key("", "id"), (ledger.OpenLock,), "millrace", cleanup=Cleanup.COMPACT
)
STATEMENT_LINES = Topic("ledger.statement-line.projection.v1", Key("", "id"), (ledger.StatementLine,), "millrace")
TICKS = Topic("clock.second.tick.v1", None, (clock.Tick,), "millrace clock", DAY_MS)
DEAD_LETTERS = Topic("pipeline.record.dead-letter.v1", None, (), "millrace")
REPLAYS = Topic("pipeline.replay.event.v1", Key("", "letter_id"), (letters.LetterReplayed,), "millrace deadletters")

TOPICS: tuple[Topic, ...] = (
    DEPOSITS, TRIPS, VEHICLE_PRICES, GROUP_MEMBERS, TRIP_PAYMENTS, CARD_CHARGES,
    DEALER_COMMANDS, BILLS, BILL_CORRECTIONS, BILLING_PAYMENTS, BILLING_CALLS, BILLING_ANSWERS,
    HANDED_PAYMENTS, DEALERS, DEPOSIT_TIERS,
    DEALER_EVENTS, BILL_EVENTS, PROJECTED_DEPOSITS, PROJECTED_DEALERS, PROJECTED_ACCOUNTS, PROJECTED_BILLS,
    PROJECTED_SUSPENSE,
    LOT_DEALS, LOT_CHARGES, LOT_ANSWERS, COMMISSION_RATES, COMMISSION_POLICIES, DEAL_EVENTS, LOT_EVENTS,
    CREDITS, PURCHASES, ADVANCES, GL_ACKNOWLEDGEMENTS, GL_CORRECTIONS, PRISONERS, SUPPLIERS, PRISONS, OFFICERS,
    GL_ACCOUNTS, PURCHASE_EVENTS, ADVANCE_EVENTS, GL_LINES, GL_TRANSACTIONS,
    BATCHES, BATCHED_PURCHASES, BATCH_ANSWERS, BATCH_EVENTS,
    JOURNAL, BALANCES, OPEN_LOCKS, STATEMENT_LINES, TICKS, DEAD_LETTERS, REPLAYS,
)  # fmt: skip

UPSTREAM: tuple[Topic, ...] = (
    DEPOSITS, TRIPS,
    DEALER_COMMANDS, BILLS, BILL_CORRECTIONS, BILLING_PAYMENTS, BILLING_ANSWERS,
    LOT_DEALS,
    CREDITS, PURCHASES, ADVANCES, BATCHES, GL_ACKNOWLEDGEMENTS, GL_CORRECTIONS,
)  # fmt: skip
"""What other systems publish."""

BETWEEN_BOOKS: tuple[Topic, ...] = (BATCHED_PURCHASES, BATCH_ANSWERS, HANDED_PAYMENTS, LOT_CHARGES, LOT_ANSWERS)
"""What one book writes for another one, on another partition, to decide."""

DECIDED: tuple[Topic, ...] = (*UPSTREAM, *BETWEEN_BOOKS)
"""What rooms decide: each record has exactly one outcome in the journal, or one dead letter."""
