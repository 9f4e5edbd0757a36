"""The connectors as they should be (PIPE-06, PIPE-07): `apply` makes it so, `status` compares, `remove` undoes it."""

import time
from enum import StrEnum
from typing import NamedTuple

from connectors.configuration import MILLRACE, Configuration, Deployment, Unreadable, configurations
from connectors.database import drop_slot
from connectors.errors import BadConfiguration, ConnectorFailed
from connectors.rest import Connect, ConnectorState
from connectors.waiting import wait_until
from schemas.settings import Settings

SETTLED_S = 2.0
"""For how long all states must stand still: a task says RUNNING before it has read its first row."""

RUNNING_WITHIN_S = 90.0
STOPPED_WITHIN_S = 60.0


class Action(StrEnum):
    """What `apply` did with a connector."""

    CREATED = "created"
    CHANGED = "changed"
    RESTARTED = "restarted"
    UNCHANGED = "unchanged"


class Applied(NamedTuple):
    """One connector that runs as its file says."""

    connector: str
    action: Action


class Row(NamedTuple):
    """One connector in `status`. `differing` names what Connect has otherwise than our file."""

    state: ConnectorState
    differing: tuple[str, ...]


def apply(
    settings: Settings, deployment: Deployment = MILLRACE, unreadable: Unreadable = Unreadable.STOP
) -> list[Applied]:
    """Bring every connector to its file's configuration and wait until all run; what is so already is left alone.

    The database must be migrated and the topics made: agents cannot subscribe to what the first row would make.
    Raises `ConnectorsError`: `BadConfiguration` where Connect refuses one, `ConnectorFailed` with the cause where one
    does not run.
    """
    wanted = configurations(settings, deployment, unreadable)
    with Connect(settings.connect) as connect:
        done = [Applied(name, _bring(connect, name, configuration)) for name, configuration in wanted.items()]
        _await_running(connect, list(wanted))
    return done


def status(settings: Settings, deployment: Deployment = MILLRACE) -> list[Row]:
    """How each of our connectors is, and where its configuration is not its file's."""
    with Connect(settings.connect) as connect:
        return [
            Row(connect.state(name), differing(connect.configuration(name), configuration))
            for name, configuration in configurations(settings, deployment).items()
        ]


def remove(settings: Settings, deployment: Deployment = MILLRACE) -> None:
    """Take the connectors away with their offsets and the replication slot: a later `apply` takes a new snapshot.

    Topics and tables keep what they have. Raises `ConnectorsError`.
    """
    with Connect(settings.connect) as connect:
        for name in configurations(settings, deployment):
            _take_away(connect, name)
    if not wait_until(lambda: drop_slot(settings.postgres, deployment.slot), STOPPED_WITHIN_S):
        raise ConnectorFailed(
            f"the replication slot {deployment.slot} is still read by somebody: see pg_replication_slots"
        )


def _bring(connect: Connect, name: str, wanted: Configuration) -> Action:
    present = connect.configuration(name)
    if present != wanted:
        connect.put(name, wanted)
        return Action.CREATED if present is None else Action.CHANGED
    if connect.state(name).failed:
        connect.restart_failed(name)
        return Action.RESTARTED
    return Action.UNCHANGED


def _await_running(connect: Connect, names: list[str]) -> None:
    """Wait until the states stand still. Raises `ConnectorFailed` unless all connectors and tasks run."""
    states: list[ConnectorState] = []
    since = time.monotonic()

    def settled() -> bool:
        nonlocal states, since
        now = [connect.state(name) for name in names]
        if now != states or not all(state.settled for state in now):
            states, since = now, time.monotonic()
        return time.monotonic() - since >= SETTLED_S

    stands_still = wait_until(settled, RUNNING_WITHIN_S)
    for state in states:
        if state.failed:
            raise ConnectorFailed(
                f"the connector {state.connector} failed: {state.trouble or 'Connect gives no trace'}"
            )
        if not stands_still and not state.settled:
            raise ConnectorFailed(
                f"the connector {state.connector} is {state.state} with tasks {list(state.tasks)} "
                f"after {RUNNING_WITHIN_S:.0f} s: see `python -m stack logs connect`"
            )


def differing(present: Configuration | None, wanted: Configuration) -> tuple[str, ...]:
    """The names of what Connect has otherwise than it should; nothing where it has no such connector."""
    if present is None:
        return ()
    return tuple(sorted(name for name in present.keys() | wanted.keys() if present.get(name) != wanted.get(name)))


def _take_away(connect: Connect, name: str) -> None:
    if connect.configuration(name) is None:
        return
    connect.stop(name)

    def forgotten() -> bool:
        try:
            connect.forget_offsets(name)
        except BadConfiguration:  # its tasks have not ended yet
            return False
        return True

    if not wait_until(forgotten, STOPPED_WITHIN_S):
        raise ConnectorFailed(f"the connector {name} did not stop within {STOPPED_WITHIN_S:.0f} s")
    connect.delete(name)
