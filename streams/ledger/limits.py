"""Limits: how much may be used in a window. Time comes with the message; a new window begins at zero (PIPE-13)."""

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """What was used of a limit in one window: a row of the limits table (PIPE-02).

    `window` names it so that names sort by time: `2026-03-29`, `2026-W05`.
    """

    window: str
    used_minor: int


def usage_in(usage: Usage | None, window: str) -> int:
    """What is used in this window; an older window has no say in it."""
    return usage.used_minor if usage is not None and usage.window == window else 0


def counted_in(usage: Usage | None, window: str) -> str:
    """Where a use of this window counts. A late message of an older one counts in the newest: none is ever reopened."""
    return window if usage is None else max(window, usage.window)


def reserve(usage: Usage | None, window: str, amount_minor: int) -> Usage:
    """With this amount used, in the window where it counts."""
    window = counted_in(usage, window)
    return Usage(window, usage_in(usage, window) + amount_minor)


def release(usage: Usage | None, window: str, amount_minor: int) -> Usage | None:
    """With this amount free again, if its window still runs."""
    if usage is None or usage.window != window:
        return usage
    return Usage(window, max(0, usage.used_minor - amount_minor))
