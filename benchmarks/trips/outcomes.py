"""The proof of a run: every event has its outcome, every trip cost what it must, and the auditor finds nothing."""

from collections import Counter

from benchmarks.attempt import AttemptError
from benchmarks.broker import Broker, Ends
from benchmarks.trips.city import City
from benchmarks.trips.lives import Model, Settled
from schemas.codec import Codec
from schemas.ledger import Decided, Outcome
from schemas.mobility import TripSettled
from schemas.topics import DEAD_LETTERS, JOURNAL, TRIP_PAYMENTS
from streams.audit.audit import audit
from streams.audit.servers import Scope


def check(city: City, wanted: Model, journal: Ends, payments: Ends) -> Ends:
    """Compare what was written since these offsets with the model; where the journal's last entries end.

    Raises AttemptError if anything is missing, doubled or different.
    """
    found, last = _journal(city.broker, city.codec, journal)
    expected = Counter({Outcome.ACCEPTED: wanted.accepted, Outcome.DUPLICATE: wanted.duplicates})
    letters = sum(1 for _ in city.broker.committed(DEAD_LETTERS.name))
    settled = _settled(city.broker, city.codec, payments)
    if found != +expected or letters:
        raise AttemptError(f"trip life: {dict(found)} and {letters} dead letters, but should be {dict(expected)}")
    if settled != wanted.settled:
        missing, extra = wanted.settled - settled, settled - wanted.settled
        raise AttemptError(f"trip life: {missing.total()} settled trips missing, {extra.total()} too many; "
                           f"for example {next(iter(missing or extra))}")  # fmt: skip
    return last


def check_books(city: City) -> int:
    """Let the independent auditor fold the journal; how many decisions it saw. Raises AttemptError on a difference."""
    report = audit(city.settings, Scope.KAFKA)
    if not report.clean:
        raise AttemptError(f"trip life: the auditor found {report.as_json()['findings']}")
    return report.decisions


def _journal(broker: Broker, codec: Codec, since: Ends) -> tuple[Counter[Outcome], Ends]:
    found: Counter[Outcome] = Counter()
    last = list(since)
    for record in broker.committed(JOURNAL.name, since):
        entry = codec.decode(JOURNAL, record.value())
        assert isinstance(entry, Decided)
        found[entry.outcome] += 1
        last[record.partition()] = record.offset() + 1
    return found, tuple(last)


def _settled(broker: Broker, codec: Codec, since: Ends) -> Counter[Settled]:
    messages = (codec.decode(TRIP_PAYMENTS, record.value()) for record in broker.committed(TRIP_PAYMENTS.name, since))
    return Counter(Settled(m.trip_id, m.wallet_minor, m.card_minor) for m in messages if isinstance(m, TripSettled))
