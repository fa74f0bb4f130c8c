"""The benchmarks' own arithmetic: ratios, targets, the table and what machines read of it."""

import json
from pathlib import Path

import pytest

from benchmarks.table import DifferentResult, Row, middle, must_equal, render, write

FAST = Row("fast", 900.0, "answers/s", peer=3.0, limit=1000.0, target_vs_peer=200)
SLOW = Row("slow", 2.0, "s", limit=0.5, target_vs_limit=0.5, more_is_better=False)


def test_ratio_above_one_is_better_whichever_way_the_unit_goes() -> None:
    assert FAST.vs_peer == 300
    assert FAST.vs_limit == 0.9
    assert SLOW.vs_peer is None
    assert SLOW.vs_limit == 0.25


def test_target_is_met_exactly_at_the_figure() -> None:
    exact = Row("exact", 1.0, "s", limit=0.5, target_vs_limit=0.5, more_is_better=False)

    assert (FAST.met, SLOW.met, exact.met) == (True, False, True)


def test_target_without_a_figure_is_not_met() -> None:
    assert not Row("lonely", 1.0, "s", target_vs_peer=2).met


def test_table_names_what_was_missed() -> None:
    lines = render([FAST, SLOW]).splitlines()

    assert lines[2].split()[-2:] == ["200x", "met"]
    assert lines[3].split()[-2:] == ["0.50", "MISSED"]


def test_machines_read_exactly_the_agreed_names(tmp_path: Path) -> None:
    write([FAST], tmp_path / "bench.json")
    write([SLOW], tmp_path / "bench.json")

    rows = json.loads((tmp_path / "bench.json").read_text())
    assert [row["name"] for row in rows] == ["fast", "slow"]
    assert set(rows[0]) == {
        *("name", "ours", "peer", "limit", "unit", "vs_peer", "vs_limit"),
        *("target_vs_peer", "target_vs_limit"),
    }


def test_different_results_are_no_comparison() -> None:
    must_equal("sums", (1, 2), (1, 2))
    with pytest.raises(DifferentResult, match="sums: ours 1, theirs 2"):
        must_equal("sums", 1, 2)


def test_middle_of_three_runs_is_the_second_best() -> None:
    assert middle([9.0, 1.0, 2.0]) == 2
