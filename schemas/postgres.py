"""How a command speaks of a Postgres that it cannot use: in one sentence, without user or password."""

from psycopg.conninfo import conninfo_to_dict


def address(url: str) -> str:
    """`host:port/database`, for messages: never the user or a password."""
    parts = conninfo_to_dict(url)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def not_let_in(url: str, error: BaseException) -> str:
    """What to say where connecting failed."""
    return (
        f"Postgres at {address(url)} does not let us in ({first_line(error)}): "
        "start it with `python -m stack up`, or set MILLRACE_POSTGRES"
    )


def first_line(error: BaseException) -> str:
    """The first line of what Postgres says, or the name of the error where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
