"""Who and what the day is about: operators, vehicles, groups, dealers, prisoners; pure, from a seed.

`rows` gives the reference data as the back office would have typed it into Postgres.
"""

import random
from typing import Any, NamedTuple

import msgspec

RATES = {
    "escooter": (100, "19.5"),
    "ebike": (100, "15"),
    "cargo": (250, "32.333333333"),
    "car": (300, "41"),
}
"""Unlock fee in minor units, price per minute in minor units, by vehicle type. Invented, but of the usual size."""


class Scale(msgspec.Struct, frozen=True):
    """How large the day is."""

    groups: int = 300
    riders: int = 3_000
    vehicles: int = 500
    trips: int = 2_400
    dealers: int = 40
    bills: int = 160
    prisoners: int = 1_200
    purchases: int = 2_000
    lots: int = 24

    def times(self, factor: float) -> "Scale":
        """The same day, smaller or larger."""
        return Scale(*(max(4, round(each * factor)) for each in msgspec.structs.astuple(self)))


class Vehicle(NamedTuple):
    vehicle_id: str
    msp_id: str
    model_id: str


class World(NamedTuple):
    """Everything that exists before the day begins. `members` are riders by group."""

    vehicles: list[Vehicle]
    members: dict[str, list[str]]
    dealers: list[str]
    prisoners: list[str]
    suppliers: list[str]

    @property
    def counts(self) -> tuple[int, ...]:
        """Rows that CDC will report of each table of `connectors.tables`, in its order."""
        members = sum(len(riders) for riders in self.members.values())
        people = len(self.vehicles), members, len(self.dealers), len(self.prisoners), len(self.suppliers)
        dealing = len(TIERS), len(COMMISSION_RATES), len(COMMISSION_POLICIES)
        return *people, len(PRISONS), len(OFFICERS), len(GL_ACCOUNTS), *dealing


MSPS = {"ryde": "Ryde On AS", "velo": "Velo City GmbH", "carry": "Carry Cars BV"}
VAT = {"ryde": "0.25", "velo": "0.19", "carry": "0.21"}
MODELS = {"ryde": ("escooter", "ebike"), "velo": ("ebike", "cargo"), "carry": ("car",)}
PRISONS = {"LEI": ("HMP Leeds", "318"), "MDI": ("HMP Moorland", "334"), "WWI": ("HMP Wandsworth", "402")}
ADVANCE_ALLOWED, INSTALMENT, EVERY_DAYS = 3_000, 400, 1
"""Every prison's policy: most outstanding, how much falls due at a time, in pence, and how often."""
CIRCUMSTANCES = ["arrival-without-cash"]
OFFICERS = {
    f"{rank}-{prison}": (prison, True, rank == "governor") for prison in PRISONS for rank in ("governor", "deputy")
}
"""Of each prison: both may approve advances, only the governor may give one up."""
GL_ACCOUNTS = {
    "spends": ("2102", "2617902201"),
    "cash": ("2101", "2617902202"),
    "savings": ("2103", "2617902203"),
    "advance": ("2199", "2617902204"),
    "owed": ("1502", "2617902205"),
    "written_off": ("4104", "2617902206"),
}
"""NOMIS codes, and accounts of the Single Operating Platform: the latter are invented."""
TIERS = {
    "small-eur": ("small", "EUR", 5_000),
    "middle-eur": ("middle", "EUR", 15_000),
    "large-eur": ("large", "EUR", 50_000),
    "small-usd": ("small", "USD", 6_000),
}
"""Price segments of buyout bidding, and the deposits, in minor units, that open them. Invented."""
COMMISSION_RATES = [("r1", 1, "0.05", 0)]
"""Of all deals: id, version, share, from when it is valid (UTC micros). Invented."""
COMMISSION_POLICIES = [("commission", "Europe/Moscow", 1)]
"""The zone whose months are billed, and how many days after their end."""
YEAR_2020_US, YEAR_2100_US = 1_577_836_800_000_000, 4_102_444_800_000_000
SUPPLIERS = {"DHL": ("DHL Supply Chain", "2617902101"), "BT": ("BT Phone Credit", "2617902102")}

ISSUERS = [
    ("ryde", "RYDE", "Ryde On AS", ["Dronning Eufemias gate 12", "0191 Oslo"], "NO", "NO923456783MVA", "Europe/Oslo"),
    ("velo", "VELO", "Velo City GmbH", ["Torstraße 85", "10119 Berlin"], "DE", "DE298765432", "Europe/Berlin"),
    (
        "carry",
        "CARRY",
        "Carry Cars BV",
        ["Weesperplein 4", "1018 XA Amsterdam"],
        "NL",
        "NL812345678B01",
        "Europe/Amsterdam",
    ),
]
"""Who issues the invoices: id, code, legal name, address, country, VAT number, zone. Invented."""


def make_world(seed: int, scale: Scale) -> World:
    """The same seed gives the same world."""
    rnd = random.Random(f"world {seed}")
    kinds = [(msp, kind) for msp, types in MODELS.items() for kind in types]
    vehicles = []
    for number in range(scale.vehicles):
        msp_id, kind = rnd.choice(kinds)
        vehicles.append(Vehicle(f"veh-{number:04}", msp_id, f"{msp_id}-{kind}"))
    members: dict[str, list[str]] = {f"grp-{number:03}": [] for number in range(scale.groups)}
    for number in range(scale.riders):
        members[rnd.choice(list(members))].append(f"rid-{number:04}")
    return World(
        vehicles,
        members,
        [f"dlr-{number:03}" for number in range(scale.dealers)],
        [f"A{number:04}BC" for number in range(scale.prisoners)],
        list(SUPPLIERS),
    )


def prison_of(number: int) -> str:
    """The prison of the prisoner of a number."""
    return sorted(PRISONS)[number % len(PRISONS)]


def cash_permission(number: int) -> tuple[int | None, int | None]:
    """Until when (UTC micros) and for how much a purchase (pence) a prisoner may add private cash to spends."""
    return ((YEAR_2100_US, None), (YEAR_2100_US, 900), (None, None), (YEAR_2020_US, None), (YEAR_2100_US, None))[
        number % 5
    ]


def rows(world: World) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """SQL statements of the reference data, each with the rows to execute it for, in order."""
    models = [(msp, f"{msp}-{kind}", kind, f"{kind} of {name}") for msp, name in MSPS.items() for kind in MODELS[msp]]
    riders = [(rider, group) for group, riders in world.members.items() for rider in riders]
    return [
        ("INSERT INTO reference.msps VALUES (%s, %s)", list(MSPS.items())),
        ("INSERT INTO reference.vehicle_models VALUES (%s, %s, %s, %s)", models),
        ("INSERT INTO reference.vehicles VALUES (%s, %s, %s)", [tuple(vehicle) for vehicle in world.vehicles]),
        ("INSERT INTO reference.fee_schedules VALUES (%s, %s, %s)", [(m[1], m[0], m[3]) for m in models]),
        ("INSERT INTO reference.fee_schedule_models VALUES (%s, %s, %s)", [(m[0], m[1], m[1]) for m in models]),
        (
            "INSERT INTO reference.fee_schedule_versions VALUES (%s, 1, 'EUR', %s, %s, %s)",
            [(m[1], *RATES[m[2]], VAT[m[0]]) for m in models],
        ),
        ("INSERT INTO reference.sharing_groups VALUES (%s, %s)", [(g, f"Group {g}") for g in world.members]),
        ("INSERT INTO reference.group_members VALUES (%s, %s)", riders),
        ("INSERT INTO reference.dealers VALUES (%s, %s, %s)", [(d, f"cme-{d}", f"Dealer {d}") for d in world.dealers]),
        (
            "INSERT INTO reference.prisons (prison_id, name, cost_centre, advance_allowed_minor,"
            " advance_instalment_minor, advance_every_days, automatic_circumstances)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(p, *each, ADVANCE_ALLOWED, INSTALMENT, EVERY_DAYS, CIRCUMSTANCES) for p, each in PRISONS.items()],
        ),
        ("INSERT INTO reference.officers VALUES (%s, %s, %s, %s)", [(o, *each) for o, each in OFFICERS.items()]),
        ("INSERT INTO reference.gl_accounts VALUES (%s, %s, %s)", [(g, *each) for g, each in GL_ACCOUNTS.items()]),
        (
            "INSERT INTO reference.prisoners"
            " (prisoner_id, prison_id, cash_permission_until, cash_permission_most_minor) VALUES (%s, %s, %s, %s)",
            [(p, prison_of(number), *cash_permission(number)) for number, p in enumerate(world.prisoners)],
        ),
        ("INSERT INTO reference.suppliers VALUES (%s, %s, %s)", [(s, *each) for s, each in SUPPLIERS.items()]),
        ("INSERT INTO reference.deposit_tiers VALUES (%s, %s, %s, %s)", [(t, *each) for t, each in TIERS.items()]),
        ("INSERT INTO reference.commission_rates VALUES (%s, %s, %s, %s)", COMMISSION_RATES),
        ("INSERT INTO reference.commission_policies VALUES (%s, %s, %s)", COMMISSION_POLICIES),
        (
            "INSERT INTO sink.issuer (issuer_id, code, legal_name, address, country, vat_number, zone)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            ISSUERS,
        ),
    ]
