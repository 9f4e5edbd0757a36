"""Moments on the command line: ISO 8601 in, UTC out."""

from datetime import UTC, datetime

import click

from schemas.fields import from_micros, to_micros


class Moment(click.ParamType):
    """An ISO 8601 date or date and time, as microseconds since 1970. UTC, where no offset is given."""

    name = "iso"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The moment; for a date, its first. Fails with one sentence."""
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 date or time, like 2026-03-01 or 2026-03-01T08:00:00Z", param, ctx)
        return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def show(micros: int) -> str:
    """`2026-03-01 08:00:12`, in UTC."""
    return f"{from_micros(micros):%Y-%m-%d %H:%M:%S}"
