"""Prometheus. A worker is scraped as soon as it drops a file into the targets folder."""

import shutil
from functools import partial
from pathlib import Path

from stack import readiness
from stack.instance import Instance, ServerName
from stack.ports import HOST
from stack.program import Program, executable

CONFIGURATION = Path(__file__).with_name("config") / "prometheus.yml"
RULES = CONFIGURATION.with_name("rules")


def program(instance: Instance) -> Program:
    """The Prometheus server of this instance."""
    home = instance.home(ServerName.PROMETHEUS)
    return Program(
        name=ServerName.PROMETHEUS,
        ports=(instance.ports.prometheus,),
        folder=home,
        prepare=partial(_prepare, home),
        command=partial(_command, home, instance.ports.prometheus),
        lacking=partial(readiness.lacking, f"{instance.endpoints().prometheus}/-/ready"),
    )


def _prepare(home: Path) -> None:
    """The configuration names its folders relative to itself: `targets` is the instance's, `rules` the project's."""
    (home / "targets").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(CONFIGURATION, home / "prometheus.yml")
    rules = home / "rules"
    rules.unlink(missing_ok=True)
    rules.symlink_to(RULES)


def _command(home: Path, port: int) -> list[str]:
    return [
        executable("prometheus"),
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        "--storage.tsdb.retention.time=2d",
        "--web.enable-lifecycle",
        f"--web.listen-address={HOST}:{port}",
    ]
