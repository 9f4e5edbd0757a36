"""What a person must put right. Each message is one sentence: which server, where, and what to do.

ConnectorsError
 ├── DatabaseUnavailable   Postgres does not answer, or will not let us in
 ├── MigrationFailed       a step of the migrations was refused; nothing of that step remains
 ├── ConnectUnavailable    Kafka Connect does not answer
 ├── BadConfiguration      Connect refuses a connector's configuration, or a file of ours cannot be filled in
 └── ConnectorFailed       a connector or one of its tasks does not run
"""


class ConnectorsError(Exception):
    """The root of the errors above; the command line prints it and exits with 2."""


class DatabaseUnavailable(ConnectorsError):
    """Postgres does not answer, or will not let us in."""


class MigrationFailed(ConnectorsError):
    """A step of the migrations was refused; nothing of that step remains."""


class ConnectUnavailable(ConnectorsError):
    """Kafka Connect does not answer."""


class BadConfiguration(ConnectorsError):
    """Connect refuses a connector's configuration, or a file of ours cannot be filled in."""


class ConnectorFailed(ConnectorsError):
    """A connector or one of its tasks does not run."""
