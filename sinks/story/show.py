"""A purchase's story for people, and for programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from schemas.fields import from_micros, iso
from sinks.story.telling import Kind, Step

_BAD = {Kind.UNDECIDED, Kind.PARKED}


def as_json(prisoner_id: str, purchase_id: str, steps: Sequence[Step]) -> dict[str, Any]:
    """Amounts are minor units; moments ISO 8601."""
    return {
        "prisoner_id": prisoner_id,
        "purchase_id": purchase_id,
        "steps": [
            {
                "step": step.kind,
                "at": None if step.at is None else iso(step.at),
                "title": step.title,
                "notes": step.notes,
                **step.details,
            }
            for step in steps
        ],
    }


def render(prisoner_id: str, purchase_id: str, steps: Sequence[Step]) -> RenderableType:
    """A heading for each step with its moment in UTC, and below it what it came to."""
    parts: list[RenderableType] = [Text.assemble((purchase_id, "bold"), f" of prisoner {prisoner_id}")]
    for number, step in enumerate(steps, start=1):
        moment = "" if step.at is None else f"{from_micros(step.at):%Y-%m-%d %H:%M:%S}"
        style = "bold red" if step.kind in _BAD or step.details.get("outcome") == "refused" else "bold"
        parts += ["", Text.assemble((f"{number:>3}  ", "dim"), (f"{moment:<19}  ", "dim"), (step.title, style))]
        parts += [Padding(Text(note, overflow="fold"), (0, 0, 0, 5)) for note in step.notes]
    return Group(*parts)
