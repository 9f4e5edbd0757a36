"""Tamperings with a clean world, each beside the finding that it must lead to."""

from collections.abc import Callable
from typing import TypeAlias

from streams.audit.findings import Kind
from tests.unit.audit.world import World

Tampering: TypeAlias = Callable[[World], None]
TAMPERINGS: dict[Tampering, tuple[Kind, str]] = {}


def finds(kind: Kind, where: str) -> Callable[[Tampering], Tampering]:
    """This tampering must lead to a finding of this kind in a place that contains `where`."""

    def noted(tampering: Tampering) -> Tampering:
        TAMPERINGS[tampering] = kind, where
        return tampering

    return noted
