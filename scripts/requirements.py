"""Writes into `docs/requirements.md`, beside each requirement, the tests that carry its number.

    python -m scripts.requirements [--check]

The first two columns are edited by hand; the third is found in the tests' markers. `--check` changes nothing and exits
with 1 if the page is not current.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PAGE = Path("docs/requirements.md")
TESTS = Path("tests")
ROW = re.compile(r"^\| ([A-Z]{3,4}-\d\d) \| (.*?) \|.*\|$")
SHOWN = 4


def main() -> int:
    """Bring the page up to date, or say that it is not."""
    before = PAGE.read_text(encoding="utf-8")
    after = page(before, marked(TESTS))
    if "--check" in sys.argv:
        if before != after:
            print(f"{PAGE} is not current: run `make generate`")
        return int(before != after)
    PAGE.write_text(after, encoding="utf-8")
    return 0


def page(text: str, tests: dict[str, list[str]]) -> str:
    """The page with its third column made new."""
    known = {match[1] for line in text.splitlines() if (match := ROW.match(line))}
    if unknown := sorted(tests.keys() - known):
        raise SystemExit(f"tests carry {', '.join(unknown)}, which {PAGE} does not list")
    return "".join(_row(line, tests) + "\n" for line in text.splitlines())


def marked(folder: Path) -> dict[str, list[str]]:
    """Requirement to the tests that carry it, as `path::name`."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("test_*.py")):
        for requirement, name in _marks(ast.parse(file.read_text(encoding="utf-8"))):
            found[requirement].append(f"{file}::{name}" if name else str(file))
    return dict(found)


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            yield from ((requirement, "") for requirement in _numbers(node.value))
    for test in ast.walk(module):
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((requirement, test.name) for mark in test.decorator_list for requirement in _numbers(mark))


def _numbers(node: ast.expr) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "requirement":
            yield from (arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def _row(line: str, tests: dict[str, list[str]]) -> str:
    match = ROW.match(line)
    if match is None:
        return line
    names = list(dict.fromkeys(tests.get(match[1], [])))
    shown = "<br>".join(f"`{name.removeprefix('tests/')}`" for name in names[:SHOWN])
    more = f"<br>and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"| {match[1]} | {match[2]} | {shown}{more} |"


if __name__ == "__main__":
    sys.exit(main())
