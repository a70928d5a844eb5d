"""The one command that measures: every row runs, small, and yields a figure; and how figures are judged and told."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.__main__ import parsed
from bench.figures import percentile, ratios
from bench.goals import POSTGRES, RATE, SERIAL, Goal, Line, named
from bench.measures.table import ROWS
from bench.report import Report, shown, written
from bench.size import QUICK
from bench.stage import ROOT

AT_MOST = Goal("a thing", "ms", "of P", 2.0, 1.6)


def test_a_percentile_is_a_value_that_was_seen():
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert percentile([1.0, math.inf], 1.0) == math.inf
    assert math.isnan(percentile([], 0.5))


def test_ratios_are_taken_round_by_round():
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


@pytest.mark.parametrize(
    ("goal", "rounds", "verdict"),
    [
        (AT_MOST, (1.5, 1.6, 9.0), "stretch met"),
        (AT_MOST, (1.9,), "met"),
        (AT_MOST, (2.1,), "**not met**"),
        (AT_MOST, (math.inf,), "**no figure**"),
        (AT_MOST, (), "**no figure**"),
        (RATE, (5000,), "stretch met"),
        (RATE, (1999,), "**not met**"),
        (Goal("known", "ms", "ms", None, None), (1.0,), ""),
    ],
)
def test_the_median_of_the_rounds_is_held_against_the_goal(goal, rounds, verdict):
    assert Line(goal, rounds, {}).verdict == verdict


def test_figures_are_told_in_three_digits():
    assert [shown(one) for one in (None, 0.12345, 2.0, 12345.6, math.inf, math.nan)] == [
        *("", "0.123", "2", "12346", "∞", "–")
    ]


def test_the_report_has_the_table_and_its_plots(tmp_path: Path):
    whole = Line(named(SERIAL, kind="photo"), (1.8,), {"floor": 1.0, "promise": 3.0, "naive": 5.0, "ours": 5.4})
    found = {"whole": [whole], "postgresql": [Line(POSTGRES, (1200.0,), {"ours": 1200.0}, "in a hurry")]}
    text = written(Report(found, "a machine", 60.0), tmp_path).read_text(encoding="utf-8")
    assert "| whole job, one after the other, photo | ≤ 2 of P | ≤ 1.6 of P | 1 | 3 | 5 | 5.4 |" in text
    assert "in a hurry" in text
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("report-bots.svg", "report-goals.svg"))


def test_rows_are_chosen_by_name(capsys: pytest.CaptureFixture[str]):
    assert parsed(["--rows", "acks,stall"]).rows == ["acks", "stall"]
    with pytest.raises(SystemExit):
        parsed(["--rows", "speed"])
    assert "there are whole, fixed" in capsys.readouterr().err


def test_only_the_whole_table_is_written_where_it_is_published():
    assert parsed([]).out == ROOT / "bench"
    assert parsed(["--quick"]).out != ROOT / "bench" != parsed(["--rows", "acks"]).out
    assert parsed(["--quick", "--out", "here"]).out == Path("here")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
async def test_every_row_yields_a_figure(row):
    lines = await row.measure(QUICK, None)
    assert lines
    assert all(line.has_figure for line in lines), lines
