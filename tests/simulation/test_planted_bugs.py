"""The simulator finds bugs: each one that was planted, in a copy of the code, and none where none was."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.requirement("BEY-06"), pytest.mark.timeout(250)]

REPOSITORY = Path(__file__).parents[2]
PATCHES = sorted((Path(__file__).parent / "planted").glob("*.patch"))
PACKAGES = ("streams", "schemas", "connectors")
SEEDS = 100
"""Within so many seeds each bug is found; without a bug they are clean."""

FIRST_FAILURE = f"""
from streams.simulator.many import run_seeds
failed = next((each for each in run_seeds(range({SEEDS}), 1) if each.problems), None)
print("clean" if failed is None else f"seed {{failed.seed}}: {{failed.problems[0]}}")
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code."""
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def first_failure(copy: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FAILURE], cwd=copy, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_planted_bug_is_found(patch: Path, copy: Path) -> None:
    subprocess.run(["git", "apply", "--recount", "-C1", str(patch)], cwd=copy, check=True, timeout=10)
    said = first_failure(copy)
    print(said)
    assert said.startswith("seed "), f"{SEEDS} seeds do not find it"


def test_without_a_bug_the_same_seeds_are_clean(copy: Path) -> None:
    assert first_failure(copy) == "clean"
