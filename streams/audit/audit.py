"""`audit(settings)`: the one call that proves the pipeline's books."""

from contextlib import closing

from schemas.settings import Settings
from streams.audit.examine import examine
from streams.audit.report import Report
from streams.audit.servers import DECIDED_NAMES, WHOLE, Scope, Servers

DEFAULT_WAIT_S = 15.0


def audit(settings: Settings, scope: Scope = Scope.POSTGRES, wait_s: float = DEFAULT_WAIT_S) -> Report:
    """Read everything, fold it independently, and report every difference (PIPE-09).

    `wait_s`: how long Postgres may take to catch up with the projection topics. Raises `CannotAudit` where a server
    or a topic is missing, `RegistryUnavailable` where schemas cannot be had.
    """
    with closing(Servers(settings, scope, wait_s)) as evidence:
        return examine(evidence, DECIDED_NAMES, WHOLE)
