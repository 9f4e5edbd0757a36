"""`python -m schemas.generate [--check]`: the contracts as files, for teams in other languages (PIPE-12).

Writes `schemas/generated/`: an Avro schema per registry subject, and the AsyncAPI document. `--check` writes nothing
and exits 1, naming the files that differ from the declarations.
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas.asyncapi import document
from schemas.avro import schema_of
from schemas.topics import TOPICS

FOLDER = Path(__file__).parent / "generated"


def contracts() -> dict[str, str]:
    """The content of every generated file, by its name."""
    schemas = {
        f"{topic.subject(message)}.avsc": _json(schema_of(message)) for topic in TOPICS for message in topic.messages
    }
    return dict(sorted(schemas.items())) | {"asyncapi.json": _json(document())}


def differences(folder: Path = FOLDER) -> list[str]:
    """Names of files that are missing, differ, or are generated from nothing any more."""
    wanted = contracts()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*") if path.is_file()}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> list[str]:
    """Bring the folder up to date; returns the names of the files that changed."""
    changed, wanted = differences(folder), contracts()
    folder.mkdir(exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def main(arguments: list[str]) -> int:
    """0 if the files are current (without `--check`: are so now), 1 if `--check` found differences, 2 for bad usage."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if not arguments:
        print("\n".join(write()) or "nothing changed")
        return 0
    for name in (differing := differences()):
        print(f"schemas/generated/{name} is not what the code declares: run python -m schemas.generate")
    return 1 if differing else 0


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
