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
    dealers: int = 200
    bills: int = 700
    prisoners: int = 1_200
    purchases: int = 2_000

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
    def counts(self) -> tuple[int, int, int, int, int]:
        """Rows that CDC will report of vehicles, members, dealers, prisoners, suppliers."""
        members = sum(len(riders) for riders in self.members.values())
        return len(self.vehicles), members, len(self.dealers), len(self.prisoners), len(self.suppliers)


MSPS = {"ryde": "Ryde On AS", "velo": "Velo City GmbH", "carry": "Carry Cars BV"}
VAT = {"ryde": "0.25", "velo": "0.19", "carry": "0.21"}
MODELS = {"ryde": ("escooter", "ebike"), "velo": ("ebike", "cargo"), "carry": ("car",)}
PRISONS = {"LEI": ("HMP Leeds", "318"), "MDI": ("HMP Moorland", "334"), "WWI": ("HMP Wandsworth", "402")}
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
        ("INSERT INTO reference.prisons VALUES (%s, %s, %s)", [(p, *each) for p, each in PRISONS.items()]),
        (
            "INSERT INTO reference.prisoners (prisoner_id, prison_id) VALUES (%s, %s)",
            [(p, sorted(PRISONS)[number % len(PRISONS)]) for number, p in enumerate(world.prisoners)],
        ),
        ("INSERT INTO reference.suppliers VALUES (%s, %s, %s)", [(s, *each) for s, each in SUPPLIERS.items()]),
        (
            "INSERT INTO sink.issuer (issuer_id, code, legal_name, address, country, vat_number, zone)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            ISSUERS,
        ),
    ]
