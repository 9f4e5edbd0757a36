"""`python -m streams audit`. Exits 0 where all is right, 1 with differences, 2 where a server is missing."""

import sys

import click
import orjson
from rich.console import Console

from schemas.registry import RegistryUnavailable
from schemas.settings import settings
from streams.audit.audit import DEFAULT_WAIT_S
from streams.audit.audit import audit as audit_all
from streams.audit.errors import CannotAudit
from streams.audit.render import render
from streams.audit.servers import Scope

DIFFERENCES = 1
CANNOT = 2


@click.command()
@click.option("--json", "form", flag_value="json", help="For programs.")
@click.option("--scope", type=click.Choice([each.value for each in Scope]), default=Scope.POSTGRES.value,
              show_default=True, help="How far to go: the projection topics, or on into Postgres.")  # fmt: skip
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), default=DEFAULT_WAIT_S, show_default=True,
              metavar="SECONDS", help="How long Postgres may take to catch up.")  # fmt: skip
def audit(form: str | None, scope: str, wait_s: float) -> None:
    """Prove the books: fold the journal independently and compare everything with it."""
    try:
        report = audit_all(settings(), Scope(scope), wait_s)
    except (CannotAudit, RegistryUnavailable) as error:
        problem = click.ClickException(str(error))
        problem.exit_code = CANNOT
        raise problem from error
    if form == "json":
        click.echo(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    else:
        Console(highlight=False).print(render(report))
    sys.exit(0 if report.clean else DIFFERENCES)
