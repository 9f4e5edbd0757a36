"""Kafka Connect's REST interface, as far as we use it."""

from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from connectors.configuration import Configuration
from connectors.errors import BadConfiguration, ConnectUnavailable
from connectors.waiting import wait_until

REQUEST_TIMEOUT_S = 30.0
CONNECTION_RETRIES = 3
REBALANCE_TIMEOUT_S = 60.0
"""How long a worker may put us off because the workers are dividing the connectors among them."""


class ConnectorState(NamedTuple):
    """How a connector and its tasks are, in Connect's own words; `trouble` is what the first trace gives as cause."""

    connector: str
    state: str
    tasks: tuple[str, ...]
    trouble: str

    @property
    def settled(self) -> bool:
        """Whether it came to run or to fail, and is not on its way to either."""
        return bool(self.tasks) and {self.state, *self.tasks} <= {RUNNING, FAILED}

    @property
    def failed(self) -> bool:
        return FAILED in (self.state, *self.tasks)


RUNNING = "RUNNING"
FAILED = "FAILED"
ABSENT = "ABSENT"


class Connect:
    """A Connect cluster at one address. Every method raises `ConnectUnavailable` when it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.Client(
            base_url=url,
            timeout=REQUEST_TIMEOUT_S,
            transport=httpx.HTTPTransport(retries=CONNECTION_RETRIES),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def configuration(self, connector: str) -> Configuration | None:
        """What Connect has for the connector; None where it has no such connector."""
        answer = self._ask("GET", f"/connectors/{connector}/config")
        return None if answer is None else {name: value for name, value in answer.items() if name != "name"}

    def put(self, connector: str, configuration: Configuration) -> None:
        """Make the connector, or give it this configuration. Raises `BadConfiguration` with Connect's reason."""
        self._ask("PUT", f"/connectors/{connector}/config", json=configuration)

    def state(self, connector: str) -> ConnectorState:
        """How the connector is now."""
        answer = self._ask("GET", f"/connectors/{connector}/status")
        if answer is None:
            return ConnectorState(connector, ABSENT, (), "")
        parts = [answer["connector"], *answer["tasks"]]
        traces = [part["trace"] for part in parts if part.get("trace")]
        trouble = innermost_cause(traces[0]) if traces else ""
        return ConnectorState(
            connector, answer["connector"]["state"], tuple(t["state"] for t in answer["tasks"]), trouble
        )

    def restart_failed(self, connector: str) -> None:
        """Start again what has failed of the connector and its tasks."""
        self._ask("POST", f"/connectors/{connector}/restart", params={"includeTasks": "true", "onlyFailed": "true"})

    def restart(self, connector: str) -> None:
        """Start the connector and its tasks again."""
        self._ask("POST", f"/connectors/{connector}/restart", params={"includeTasks": "true"})

    def stop(self, connector: str) -> None:
        """End the connector's tasks and keep its configuration and offsets."""
        self._ask("PUT", f"/connectors/{connector}/stop")

    def forget_offsets(self, connector: str) -> None:
        """Let a stopped connector begin anew when it is next started."""
        self._ask("DELETE", f"/connectors/{connector}/offsets")

    def delete(self, connector: str) -> None:
        """Take the connector away; its offsets remain for the next one of this name."""
        self._ask("DELETE", f"/connectors/{connector}")

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        """The answer's JSON; None for what Connect does not have."""
        answers: list[httpx.Response] = []

        def answered() -> bool:
            answers[:] = [self._send(method, path, **request)]
            return not _puts_off(answers[0])

        wait_until(answered, REBALANCE_TIMEOUT_S)
        (answer,) = answers
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise BadConfiguration(f"Connect at {self._url} refuses {method} {path}: {_reason(answer)}")
        if answer.is_error:
            raise ConnectUnavailable(
                f"Connect at {self._url} answers {answer.status_code} to {method} {path} ({_reason(answer)}): "
                "see its log with `python -m stack logs connect`"
            )
        return answer.json() if answer.content else {}

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise ConnectUnavailable(
                f"Kafka Connect at {self._url} does not answer ({error}): "
                "start it with `python -m stack up`, or set MILLRACE_CONNECT"
            ) from error


def _puts_off(answer: httpx.Response) -> bool:
    """Whether the workers are rebalancing: 409 says so, and from reading requests a 500 with these words."""
    return answer.status_code == httpx.codes.CONFLICT or (
        answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and "rebalance is expected" in answer.text
    )


def innermost_cause(trace: str) -> str:
    """The innermost cause of a Java trace, in one line: the outer ones say only that a task ended."""
    lines = trace.splitlines()
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return [lines[0], *causes][-1]


def _reason(answer: httpx.Response) -> str:
    """Connect's message in one line, without its advice to ask another endpoint."""
    try:
        message = str(answer.json().get("message"))
    except ValueError:
        message = answer.text
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(line for line in lines if not line.startswith("You can also find"))
