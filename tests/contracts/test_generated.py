"""The files for other languages are what the code declares, and are valid (PIPE-12)."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import fastavro
import pytest

from schemas import generate
from schemas.asyncapi import document
from schemas.topics import TOPICS, UPSTREAM

pytestmark = pytest.mark.requirement("PIPE-12")

CHECKER = Path(__file__).parent / "asyncapi"
INSTALL_NODE = "node and npm (20 or later) check the AsyncAPI document: on Debian, apt-get install -y nodejs npm"

Validate = Callable[[Path], subprocess.CompletedProcess[str]]


def test_the_generated_files_are_current() -> None:
    assert generate.differences() == [], "run: python -m schemas.generate"


@pytest.mark.parametrize("path", sorted(generate.FOLDER.glob("*.avsc")), ids=lambda path: path.stem)
def test_every_generated_schema_can_be_read_by_itself(path: Path) -> None:
    fastavro.parse_schema(json.loads(path.read_text(encoding="utf-8")))


def test_generating_twice_changes_nothing(tmp_path: Path) -> None:
    assert len(generate.write(tmp_path)) == len(generate.contracts())
    assert generate.write(tmp_path) == []


def test_a_check_names_what_differs_is_missing_or_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.write(tmp_path)
    tick, *others = sorted(tmp_path.glob("clock*.avsc"))
    assert not others
    tick.write_text("{}")
    (tmp_path / "asyncapi.json").unlink()
    (tmp_path / "old.avsc").write_text("{}")
    monkeypatch.setattr(generate.differences, "__defaults__", (tmp_path,))
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert [name for name in (tick.name, "asyncapi.json", "old.avsc") if name not in said] == []
    assert tick.read_text() == "{}"


def test_an_unknown_argument_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--chekc"]) == 2
    assert "python -m schemas.generate [--check]" in capsys.readouterr().err


# ---- AsyncAPI


@pytest.fixture(scope="session")
def validate() -> Validate:
    """AsyncAPI's own parser, by node; its packages are installed at first use, pinned by the lock file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail(INSTALL_NODE)
    if not (CHECKER / "node_modules" / "@asyncapi" / "parser").is_dir():
        installed = _run([npm, "ci", "--ignore-scripts"])
        if installed.returncode:
            pytest.fail(f"npm ci in {CHECKER} failed; it needs a package registry:\n{installed.stderr[-2_000:]}")
    return lambda path: _run([node, "validate.js", str(path)])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=CHECKER, capture_output=True, text=True, timeout=240, check=False)


def test_the_asyncapi_document_is_valid(validate: Validate) -> None:
    answer = validate(generate.FOLDER / "asyncapi.json")
    problems = [line for line in answer.stdout.splitlines() if line.startswith(("error", "warning"))]
    assert (answer.returncode, problems) == (0, []), answer.stderr
    assert f"{len(TOPICS)} channels" in answer.stdout


@pytest.mark.parametrize("damage", ["asyncapi", "info", "channels"])
def test_a_damaged_document_is_found_out(validate: Validate, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(document() | {damage: 3}))
    answer = validate(path)
    assert answer.returncode == 1
    assert "error" in answer.stdout


def test_the_document_says_of_each_topic_who_writes_it_how_it_is_keyed_and_what_is_on_it() -> None:
    channels, operations = document()["channels"], document()["operations"]
    for topic in TOPICS:
        channel = channels[topic.name]
        assert topic.writer in channel["description"]
        assert len(channel["messages"]) == len(topic.messages)
        if topic.messages:
            action = "receive" if topic in UPSTREAM else "send"
            assert operations[f"{action}-{topic.name}"]["action"] == action


def test_the_checkers_lock_file_names_no_registry() -> None:
    lock = (CHECKER / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    assert "http" not in "".join(line for line in lock.splitlines() if '"url"' not in line and '"funding"' not in line)
