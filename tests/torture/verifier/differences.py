"""What is not as it must be. Every difference is one sentence."""

from collections import Counter
from typing import Any

KEPT = 20


class Differences:
    """All are counted by their kind, the first of each kept."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[str] = []

    def add(self, kind: str, sentence: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= KEPT:
            self.kept.append(f"{kind}: {sentence}")

    def compare(self, kind: str, expected: dict[str, Any], found: dict[str, Any]) -> None:
        """Two tables, every key both ways."""
        for key in expected.keys() | found.keys():
            if expected.get(key) != found.get(key):
                self.add(kind, f"{key}: expected {expected.get(key)}, found {found.get(key)}")
