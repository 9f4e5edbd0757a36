"""Deposits on the real stack: tiers are typed into Postgres, and segments open and close by them (DLR-08)."""

from collections.abc import Iterator

import pytest

from schemas.dealer_billing import AccountType, Refused
from schemas.dealer_deposits import DepositChanged, DepositTier, PriceSegmentGranted, PriceSegmentRevoked
from schemas.topics import PARTITIONS
from tests.e2e.dealer import DealerStory
from tests.e2e.world import World, fresh

pytestmark = pytest.mark.requirement("DLR-08")


class Tier:
    """A segment of its own, with its tier; tests share the servers, and so all tiers."""

    def __init__(self, world: World, from_minor: int) -> None:
        self._world, self.tier_id, self.segment = world, fresh("tier"), fresh("seg")
        statement = "INSERT INTO reference.deposit_tiers VALUES (%s, %s, 'EUR', %s)"
        world.sql(statement, self.tier_id, self.segment, from_minor)
        self._is_known()

    def begin_from(self, from_minor: int) -> None:
        statement = "UPDATE reference.deposit_tiers SET from_minor = %s WHERE tier_id = %s"
        self._world.sql(statement, from_minor, self.tier_id)

    def end(self) -> None:
        self._world.sql("DELETE FROM reference.deposit_tiers WHERE tier_id = %s", self.tier_id)

    def _is_known(self) -> None:
        def told() -> bool | None:
            mine = [each for each in self._world.read(DepositTier) if each.tier_id == self.tier_id]
            return len(mine) >= PARTITIONS or None

        self._world.wait(told)


@pytest.fixture
def tier(world: World) -> Iterator[Tier]:
    """From ten euros on."""
    made = Tier(world, 1_000)
    yield made
    made.end()


@pytest.fixture(scope="module")
def dealer(world: World) -> DealerStory:
    """Registered, in fast buyout, with an open DEPOSIT account."""
    story = DealerStory(world)
    story.register()
    story.add_fast_buyout()
    story.open(AccountType.DEPOSIT)
    return story


def test_a_deposit_opens_a_segment_falls_below_and_opens_it_again(
    world: World, dealer: DealerStory, tier: Tier
) -> None:
    received = dealer.deposit(1_500)
    assert world.told(DepositChanged, payment_id=received).change_minor == 1_500
    granted = world.told(PriceSegmentGranted, dealer_id=dealer.dealer_id, segment=tier.segment)
    assert (granted.tier_id, granted.from_minor) == (tier.tier_id, 1_000)
    returned = dealer.return_deposit(1_500)
    assert world.told(DepositChanged, payment_id=returned).change_minor == -1_500
    revoked = world.told(PriceSegmentRevoked, dealer_id=dealer.dealer_id, segment=tier.segment)
    assert (revoked.from_minor, revoked.deposit_minor) == (1_000, 0)


def test_tiers_edited_in_postgres_reach_a_dealer_who_holds_a_deposit(
    world: World, dealer: DealerStory, tier: Tier
) -> None:
    mine = {"dealer_id": dealer.dealer_id, "segment": tier.segment}
    dealer.deposit(2_000)
    world.told(PriceSegmentGranted, **mine, from_minor=1_000)
    tier.begin_from(2_001)
    assert world.told(PriceSegmentRevoked, **mine).from_minor == 2_001
    tier.begin_from(1_999)
    world.told(PriceSegmentGranted, **mine, from_minor=1_999)
    tier.end()
    assert world.told(PriceSegmentRevoked, **mine, from_minor=None).deposit_minor == 2_000
    dealer.return_deposit(2_000)


@pytest.mark.requirement("BEY-03", "PIPE-05")
def test_more_than_the_deposit_is_not_returned_and_an_id_counts_once(world: World, dealer: DealerStory) -> None:
    refused = world.told(Refused, refused_id=dealer.return_deposit(10**9))
    assert (refused.reason, refused.figures["wanted"]) == ("insufficient_funds", "1000000000")
    received = dealer.deposit(700)
    before = world.told(DepositChanged, payment_id=received).deposit_minor
    dealer.deposit(700, payment_id=received)
    dealer.pay(fresh("bil"), 700, payment_id=received)
    assert world.told(Refused, refused_id=received).reason == "other_content_under_this_id"
    after = world.told(DepositChanged, payment_id=dealer.return_deposit(700))
    assert after.deposit_minor == before - 700


def test_a_deposit_that_comes_before_its_account_opens_its_segments_with_it(world: World, tier: Tier) -> None:
    story = DealerStory(world)
    story.register()
    early = story.deposit(1_000)
    world.told(DepositChanged, payment_id=early)
    assert not [each for each in world.read(PriceSegmentGranted) if each.dealer_id == story.dealer_id]
    story.add_fast_buyout()
    story.open(AccountType.DEPOSIT)
    assert world.told(PriceSegmentGranted, dealer_id=story.dealer_id, segment=tier.segment).deposit_minor == 1_000


@pytest.mark.requirement("PIPE-09", "PIPE-10")
def test_a_dealers_book_shows_deposit_and_segments_and_the_auditor_agrees(
    world: World, dealer: DealerStory, tier: Tier
) -> None:
    dealer.deposit(1_000)
    world.told(PriceSegmentGranted, dealer_id=dealer.dealer_id, segment=tier.segment)

    def shown() -> str | None:
        book = world.command("streams", "book", f"dealer:{dealer.dealer_id}").stdout
        return book if tier.segment in book else None

    assert "current/DEPOSIT" in world.wait(shown)
    done = world.command("streams", "audit", "--wait", "60")
    assert done.returncode == 0, done.stdout
