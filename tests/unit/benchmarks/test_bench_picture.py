"""The pictures show what the report says."""

from pathlib import Path
from typing import Any

from benchmarks import picture


def figures(events_per_s: float) -> dict[str, Any]:
    spread = {"min": events_per_s * 0.9, "median": events_per_s, "max": events_per_s * 1.1}
    return {"events_per_s": events_per_s, "spread": {"events_per_s": spread}}


REPORT: dict[str, Any] = {
    "ledger": {"millrace": figures(12_345), "bare_loop": figures(23_456)},
    "fair_contest": None,
    "flatness": {name: {"10": {"us": 5, "min": 4, "max": 6}, "100": {"us": 5, "min": 4, "max": 6}}
                 for name in ("books", "entries")},
    "machine": {"cores": 2, "at": "2026-03-01T08:00:00Z"},
}  # fmt: skip


def test_a_bar_carries_the_name_and_the_median_of_its_contestant(tmp_path: Path) -> None:
    picture.speeds(REPORT).savefig(tmp_path / "speed.svg")
    drawn = (tmp_path / "speed.svg").read_text()
    assert "12,345" in drawn
    assert "Millrace" in drawn


def test_equal_reports_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        picture.flatness(REPORT).savefig(tmp_path / name, metadata={"Date": None, "Creator": None})
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
