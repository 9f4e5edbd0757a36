"""Makes the panels into the JSON that Grafana is provisioned with."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueColorMode, LegendDisplayMode, SortOrder, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

from dashboards.panels import CURRENCY, ROWS, YES_OR_NO, Panel

FILE = Path(__file__).parent / "generated" / "millrace.json"

SOURCE_UID = "prometheus"  # of stack/config/grafana/datasources.yml
GRID_WIDTH, MOST_BESIDE, PANEL_HEIGHT = 24, 4, 8


def content() -> str:
    """The whole file; the same for the same panels."""
    return json.dumps(_dashboard(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def is_current(file: Path = FILE) -> bool:
    """Whether the file is what the panels say."""
    return file.exists() and file.read_text(encoding="utf-8") == content()


def write(file: Path = FILE) -> None:
    """Bring the file up to date."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(content(), encoding="utf-8")


def _dashboard() -> Any:
    board = (
        dashboard.Dashboard("Millrace")
        .uid("millrace")
        .description("Made by `python -m dashboards`; changes made here are lost.")
        .tags(["millrace"])
        .readonly()
        .time("now-1h", "now")
        .refresh("10s")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(_currencies())
    )
    for row, panels in ROWS.items():
        board = board.with_row(dashboard.Row(row))
        for panel, width in _laid_out(panels):
            board = board.with_panel(_panel(panel).grid_pos(GridPos(h=PANEL_HEIGHT, w=width)))
    built = board.build()
    for number, each in enumerate(built.panels, start=1):
        each.id_val = number
    return built


def _laid_out(panels: Sequence[Panel]) -> Iterator[tuple[Panel, int]]:
    """Each panel with its width, on as few lines as can be, equally full; one that is repeated has its own line."""
    lines = -(-len(panels) // MOST_BESIDE)
    beside = -(-len(panels) // lines)
    for start in range(0, len(panels), beside):
        line = panels[start : start + beside]
        for panel in line:
            yield panel, GRID_WIDTH // (1 if panel.repeated_by else len(line))


def _panel(panel: Panel) -> Any:
    made = _yes_or_no() if panel.unit == YES_OR_NO else _over_time()
    made = made.title(panel.title).description(panel.meaning).unit(panel.unit).datasource(_source())
    for letter, (legend, promql) in zip(ascii_uppercase, panel.lines.items(), strict=False):
        made = made.with_target(prometheus.Dataquery().ref_id(letter).expr(promql).legend_format(legend).range())
    return made if panel.repeated_by is None else made.repeat(panel.repeated_by).repeat_direction("h")


def _yes_or_no() -> Any:
    steps = [Threshold(value=None, color="red"), Threshold(value=1.0, color="green")]
    return (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.BACKGROUND)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    )


def _over_time() -> Any:
    return (
        timeseries.Panel()
        .min(0)
        .fill_opacity(10)
        .legend(common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(show_legend=True))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )


def _currencies() -> Any:
    return (
        dashboard.QueryVariable(CURRENCY)
        .label("Currency")
        .datasource(_source())
        .query(f"label_values(millrace_money_minor_total, {CURRENCY})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(multi=True)
        .include_all(include_all=True)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _source() -> DataSourceRef:
    return DataSourceRef(type_val="prometheus", uid=SOURCE_UID)
