"""The source's purchase flows of a single person, each with its main failure, on real servers."""

import pytest

from schemas.prison_advances import AdvanceActive, AdvancePending
from tests.e2e.prison import Prison
from tests.e2e.world import World


@pytest.fixture(scope="module")
def prison(world: World) -> Prison:
    return Prison(world)


@pytest.mark.requirement("PRI-02", "PRI-10")
def test_flow_1_a_purchase_within_available_spends(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=250, cash=10_000)
    assert prison.refused(prisoner, {"CANTEEN": 251}, "spends").reason == "insufficient_funds"
    purchase = prison.submit(prisoner, {"CANTEEN": 250}, "spends")
    assert prison.parts(purchase) == [("spends", "CANTEEN", 250)]
    assert prison.authorise(prisoner, purchase) == [("2102", "2501", 250)]


@pytest.mark.requirement("PRI-03", "PRI-10")
def test_flow_2_a_purchase_from_private_cash(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=10_000, cash=250)
    assert prison.refused(prisoner, {"CANTEEN": 251}, "cash").reason == "insufficient_funds"
    purchase = prison.submit(prisoner, {"CANTEEN": 250}, "cash")
    assert prison.parts(purchase) == [("cash", "CANTEEN", 250)]
    assert prison.authorise(prisoner, purchase) == [("2101", "2501", 250)]


@pytest.mark.requirement("PRI-04", "PRI-10")
def test_flow_3_spends_and_then_private_cash_with_the_governors_permission(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=250, cash=4_000)
    assert prison.refused(prisoner, {"CANTEEN": 3_251}, "spends cash").figures["permission"] == "too_small"
    purchase = prison.submit(prisoner, {"CANTEEN": 3_250}, "spends cash")
    assert prison.parts(purchase) == [("spends", "CANTEEN", 250), ("cash", "CANTEEN", 3_000)]
    assert prison.authorise(prisoner, purchase) == [("2102", "2501", 250), ("2101", "2501", 3_000)]
    assert len({(line.description, line.transaction_id) for line in prison.lines(purchase)}) == 1


@pytest.mark.requirement("PRI-05", "PRI-10")
def test_flow_4_a_purchase_with_an_advance_alone(prison: Prison) -> None:
    prisoner, wanted = prison.prisoner(), {"CANTEEN": 1_500}
    recommended = prison.refused(prisoner, wanted, "spends cash")
    assert (recommended.reason, recommended.figures["advance_recommended"]) == ("insufficient_funds", "1500")
    assert prison.refused(prisoner, {"CANTEEN": 2_001}, "advance", prison.governor).reason == "advance_too_large"
    assert prison.refused(prisoner, wanted, "advance", "nobody").reason == "not_authorised"
    purchase = prison.submit(prisoner, wanted, "advance", prison.governor)
    assert prison.world.told(AdvancePending, advance_id=purchase).amount.amount_minor == 1_500
    assert prison.authorise(prisoner, purchase) == [
        ("1502", "2199", 1_500),
        ("2199", "2102", 1_500),
        ("2102", "2501", 1_500),
    ]
    assert prison.world.told(AdvanceActive, advance_id=purchase).amount.amount_minor == 1_500


@pytest.mark.requirement("PRI-06", "PRI-10")
def test_flow_5_available_funds_and_an_advance_for_the_rest(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=250, cash=100)
    too_much = prison.refused(prisoner, {"CANTEEN": 2_351}, "spends cash advance", prison.governor)
    assert (too_much.reason, too_much.figures["wanted"]) == ("advance_too_large", "2001")
    purchase = prison.submit(prisoner, {"CANTEEN": 2_350}, "spends cash advance", prison.governor)
    assert prison.parts(purchase) == [
        ("spends", "CANTEEN", 250),
        ("cash", "CANTEEN", 100),
        ("advance", "CANTEEN", 2_000),
    ]
    assert prison.authorise(prisoner, purchase)[2:] == [
        ("2102", "2501", 250),
        ("2101", "2501", 100),
        ("2102", "2501", 2_000),
    ]


@pytest.mark.requirement("PRI-07", "PRI-10")
def test_flow_6_a_purchase_from_multiple_suppliers(prison: Prison) -> None:
    prisoner = prison.prisoner(spends=250)
    assert prison.refused(prisoner, {"CANTEEN": 200, "BT": 51}, "spends").figures["missing"] == "1"
    purchase = prison.submit(prisoner, {"CANTEEN": 200, "BT": 50}, "spends")
    assert prison.authorise(prisoner, purchase) == [("2102", "2501", 200), ("2102", "2502", 50)]
