"""`python -m dashboards [--check]`: write the Grafana dashboard, or see whether it is current.

`--check` writes nothing, and exits 1 where `dashboards/generated/millrace.json` is not what the panels say.
"""

import sys

from dashboards import generate


def main(arguments: list[str]) -> int:
    """0 if the file is current (without `--check`: is so now), 1 if `--check` found that it is not, 2 for bad usage."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if generate.is_current():
        return 0
    if arguments:
        print(f"{generate.FILE} is not what the code declares: run python -m dashboards")
        return 1
    generate.write()
    print(f"wrote {generate.FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
