"""A watch over the connectors: what has failed is started again (PIPE-06, PIPE-07).

A task that Connect has given up stays so until somebody starts it again: Postgres was restarted under it, or the
registry did not answer when it asked for a schema. Nothing is lost meanwhile: it goes on at its last committed offset.
"""

from collections.abc import Callable
from threading import Event

from connectors.configuration import MILLRACE, Deployment, configurations
from connectors.errors import ConnectorsError
from connectors.rest import Connect
from schemas.settings import Settings

EVERY_S = 5.0


class Watch:
    """Looks at all connectors again and again, and says aloud what it does. Survives whatever Connect does."""

    def __init__(self, settings: Settings, say: Callable[[str], None], deployment: Deployment = MILLRACE) -> None:
        self._url = settings.connect
        self._connectors = list(configurations(settings, deployment))
        self._say = say
        self._trouble = ""

    def keep(self, over: Event, every_s: float = EVERY_S) -> None:
        """Look until it is over."""
        while not over.wait(every_s):
            self.look()

    def look(self) -> int:
        """Start again what has failed; how many connectors that were. Connect's own trouble is said once."""
        try:
            with Connect(self._url) as connect:
                restarted = sum(self._tend(connect, name) for name in self._connectors)
        except ConnectorsError as error:
            if str(error) != self._trouble:
                self._say(str(error))
            self._trouble = str(error)
            return 0
        self._trouble = ""
        return restarted

    def _tend(self, connect: Connect, name: str) -> bool:
        state = connect.state(name)
        if state.failed:
            connect.restart_failed(name)
            self._say(f"{name} had failed and is started again: {state.trouble}")
        return state.failed
