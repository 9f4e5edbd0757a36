"""PostgreSQL, ready for logical decoding. It refuses to run as root, so root lends it the account `postgres`.

Everybody on this machine may log in from 127.0.0.1 without a password: this is a developer's server with made-up data.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg

from stack.errors import NotInstalled, NotReady
from stack.instance import Instance, ServerName, wipe
from stack.ports import HOST
from stack.process import Account, identify
from stack.program import Program

_DATABASE = "millrace"
_USER = "millrace"
_ACCOUNT_NAME = "postgres"
_ELSEWHERE = Path("/var/tmp")  # Reached by every account, and kept over a reboot.


def program(instance: Instance, report: Callable[[str], None]) -> Program:
    """The database server of this instance."""
    account = _account()
    data = _data_folder(instance, account)
    return Program(
        name=ServerName.POSTGRES,
        ports=(instance.ports.postgres,),
        folder=data,
        prepare=partial(_prepare, instance, data, account, report),
        command=partial(_command, data, instance.ports.postgres),
        lacking=partial(_lacking, instance.endpoints().postgres),
        account=account,
    )


def find_binaries() -> Path | None:
    """The folder of initdb and postgres, newest version first; Debian keeps it off the PATH."""
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if debian:
        return max(debian, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def wipe_data(instance: Instance) -> None:
    """Delete the data that lies outside the instance's folder."""
    wipe(_data_elsewhere(instance).parent)


def _binary(name: str) -> str:
    folder = find_binaries()
    if folder is None:
        raise NotInstalled("postgres has no server programs on this machine: run `python -m stack doctor`")
    return str(folder / name)


def _account() -> Account | None:
    """Whom the server runs as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_ACCOUNT_NAME)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _data_folder(instance: Instance, account: Account | None) -> Path:
    """Inside the instance; under /var/tmp when the account may not pass through the folders above it."""
    if account is None or _may_pass(instance.folder, account):
        return instance.home(ServerName.POSTGRES) / "data"
    return _data_elsewhere(instance)


def _data_elsewhere(instance: Instance) -> Path:
    digest = hashlib.sha256(str(instance.folder).encode()).hexdigest()[:12]
    return _ELSEWHERE / f"millrace-{digest}" / "data"


def _may_pass(folder: Path, account: Account) -> bool:
    """Whether the account may enter the folder, or what exists above it."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return _run(["test", "-x", str(existing)], account).returncode == 0


def _prepare(instance: Instance, data: Path, account: Account | None, report: Callable[[str], None]) -> None:
    """Make the cluster and its database under another name, and rename it when all is done."""
    if account is None and os.geteuid() == 0:
        raise NotInstalled(
            f"postgres does not run as root, and this machine has no account {_ACCOUNT_NAME!r} to lend it: "
            f"run `useradd --system {_ACCOUNT_NAME}`"
        )
    if not data.is_relative_to(instance.folder):
        report(f"postgres keeps its data in {data.parent}: its account may not enter {instance.folder}")
    if data.exists():
        _drop_stale_lock(data)
        return
    home = data.parent
    home.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(home, account.uid, account.gid)
    fresh = home / "data.new"
    wipe(fresh)
    initdb = [_binary("initdb"), "-D", str(fresh), f"--username={_USER}", "--auth=trust", "--no-sync"]
    _check(_run([*initdb, "--encoding=UTF8", "--locale=C.UTF-8"], account), fresh)
    single = [_binary("postgres"), "--single", "-D", str(fresh), "postgres"]
    _check(_run(single, account, text=f"CREATE DATABASE {_DATABASE};\n"), fresh)
    fresh.rename(data)


def _drop_stale_lock(data: Path) -> None:
    """After kill -9, postgres takes a zombie that init has not reaped yet for the server it was."""
    lock = data / "postmaster.pid"
    if lock.exists() and identify(int(lock.read_text().split()[0])) is None:
        lock.unlink()


def _run(command: Sequence[str], account: Account | None, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[account.gid] if account else None,
    )


def _check(done: subprocess.CompletedProcess[str], data: Path) -> None:
    if done.returncode != 0:
        reason = " ".join(done.stderr.strip().splitlines()[-2:])
        raise NotReady(f"postgres could not make its cluster in {data}: {reason}")


def _command(data: Path, port: int) -> list[str]:
    settings = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": "",
        "wal_level": "logical",
        "max_replication_slots": 32,
        "max_wal_senders": 32,
        "max_connections": 200,
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [_binary("postgres"), "-D", str(data), *options]


def _lacking(url: str) -> str:
    """Ready means: a query on our database is answered."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return f"answer ({str(error).strip().splitlines()[-1]})"
    return ""
