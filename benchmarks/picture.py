"""Pictures of a report, for the documents: `python -m benchmarks.picture [REPORT]` writes docs/images/*.svg."""

import json
from pathlib import Path
from typing import Any

import click
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.attempt import BUILD, CHECKOUT

IMAGES = CHECKOUT / "docs" / "images"
INK, OURS, THEIRS, REFERENCE = "#24292f", "#1f6feb", "#8c959f", "#d0d7de"
NAMES = {
    "millrace": "Millrace",
    "kafka_streams_eos_v2": "Kafka Streams, exactly_once_v2",
    "kafka_streams_tuned": "Kafka Streams, tuned",
    "quix_eos": "Quix Streams, exactly once",
    "stock_faust": "stock Faust, at least once",
    "bare_loop": "loop by hand, exactly once",
    "millrace_two_workers": "Millrace, two workers",
    "kafka_streams_tuned_one_thread": "Kafka Streams, tuned, one thread",
    "kafka_streams_tuned_two_threads": "Kafka Streams, tuned, two threads",
    "bare_loop_two_processes": "two loops by hand",
}
SERIES = (("books", "books in the partition"), ("entries", "entries in one book"))

Json = dict[str, Any]

mpl.rcParams.update({"svg.hashsalt": "millrace", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
                     "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK})  # fmt: skip


def speeds(report: Json) -> Figure:
    """Bars: events a second of every contestant, with the range of all rounds, and of the fair contest."""
    works = [(report[part], title) for part, title in (
        ("ledger", "ledger work, one process each"), ("fair_contest", "ledger work, the whole machine")
    ) if report[part]]  # fmt: skip
    heights = [len(contestants) for contestants, _ in works]
    figure = Figure(figsize=(8, 0.9 * len(works) + 0.34 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(works), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (contestants, title) in zip(axes, works, strict=True):
        _bars(axis, contestants, title)
    axes[-1].set_xlabel(f"events a second, median and range ({_machine(report)})")
    return figure


def _bars(axis: Axes, contestants: Json, title: str) -> None:
    ordered = sorted(contestants.items(), key=lambda each: each[1]["events_per_s"])
    for place, (name, found) in enumerate(ordered):
        spread = found["spread"]["events_per_s"]
        speed = found["events_per_s"]
        axis.barh(place, speed, color=_colour(name), height=0.62)
        axis.plot([spread["min"], spread["max"]], [place, place], color=INK, linewidth=1)
        axis.annotate(f"{speed:,.0f}", (spread["max"], place), (4, 0), textcoords="offset points", va="center")
    axis.set_yticks(range(len(ordered)), [NAMES.get(name, name) for name, _ in ordered])
    axis.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axis.margins(x=0.12)
    _plain(axis)
    axis.xaxis.set_major_formatter("{x:,.0f}")


def _colour(name: str) -> str:
    if name.startswith("millrace"):
        return OURS
    return REFERENCE if name.startswith("bare_loop") else THEIRS


def flatness(report: Json) -> Figure:
    """Lines: CPU of an event among ever more books, and in a book of ever more entries."""
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    axes = figure.subplots(1, len(SERIES), sharey=True)
    dearest = max(point["max"] for name, _ in SERIES for point in report["flatness"][name].values())
    for axis, (name, label) in zip(axes, SERIES, strict=True):
        points = report["flatness"][name]
        at = [int(each) for each in points]
        axis.fill_between(at, [p["min"] for p in points.values()], [p["max"] for p in points.values()],
                          color=OURS, alpha=0.2, linewidth=0)  # fmt: skip
        axis.plot(at, [point["us"] for point in points.values()], color=OURS, marker="o", markersize=4)
        axis.set_xscale("log")
        axis.set_xticks(at, [f"{each:,}" for each in at])
        axis.minorticks_off()
        axis.set_xlabel(label)
        axis.set_ylim(0, dearest * 1.1)
        _plain(axis)
    axes[0].set_ylabel("CPU µs an event")
    return figure


def _plain(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)


def _machine(report: Json) -> str:
    machine = report["machine"]
    return f"{machine['cores']} cores, broker included; {machine['at'][:10]}"


@click.command("picture")
@click.argument("path", default=BUILD / "report.json", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--into", default=IMAGES, show_default=True, type=click.Path(path_type=Path), help="Folder of the pictures."
)
def main(path: Path, into: Path) -> None:
    """Draw what a report has."""
    report = json.loads(path.read_text(encoding="utf-8"))
    into.mkdir(parents=True, exist_ok=True)
    drawn = {"speed.svg": speeds(report)} if report["ledger"] or report["fair_contest"] else {}
    if report["flatness"]:
        drawn["flatness.svg"] = flatness(report)
    for name, figure in drawn.items():
        figure.savefig(into / name, metadata={"Date": None, "Creator": None})
        click.echo(into / name)


if __name__ == "__main__":
    main()
