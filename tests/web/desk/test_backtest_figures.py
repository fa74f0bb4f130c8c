"""What a backtest's page says in words, and how its charts are drawn."""

import re
from decimal import Decimal

import pytest

from app.domain.trading import BacktestSettings, Doubt
from app.services.trading.results import BacktestCoin, BacktestK, BacktestLine
from app.web.desk.drawings import bars, equity
from app.web.desk.figures import shown

LINE: BacktestLine = {
    "days": 3,
    "since": "2026-01-02",
    "return_pct": 1.0,
    "drawdown_pct": 2.0,
    "trades": 4,
    "hits": 1,
}


def coin(p_value: float | None = None, doubts: tuple[str, ...] = ()) -> BacktestCoin:
    return {
        "code": "BTC",
        "data": {
            "source": "upbit",
            "wanted": 9,
            "known": 5,
            "missing": 2,
            "first": "2026-01-01",
            "last": "2026-01-07",
        },
        "problem": None,
        "params": {},
        "best_k": Decimal("0.5"),
        "next_k": Decimal("0.4"),
        "in_sample": LINE,
        "out_of_sample": LINE | {"trades": 0, "hits": 0},  # type: ignore[typeddict-item]
        "holding": LINE,
        "ks": [],
        "trades": [],
        "curves": None,
        "p_value": p_value,
        "doubts": list(doubts),
    }


def test_chance_of_luck_is_told_as_a_count_of_markets(korean: None) -> None:
    often = shown(coin(p_value=32 / 201), BacktestSettings(), "비트코인", everything=False)
    seldom = shown(coin(p_value=3 / 201), BacktestSettings(), "비트코인", everything=False)

    assert "200개에서 똑같이 k를 골라 봤더니 31개가 이만큼 벌었어요" in often.luck
    assert "2개만 이만큼 벌었어요" in seldom.luck


def test_every_doubt_has_words_of_its_own(korean: None) -> None:
    told = shown(coin(doubts=tuple(Doubt)), BacktestSettings(), "비트코인", everything=False)

    assert len({title for title, _why in told.doubts}) == len(Doubt)
    assert any("2일" in why for _title, why in told.doubts)


def test_without_trades_there_is_no_share_that_gained(korean: None) -> None:
    told = shown(coin(), BacktestSettings(), "비트코인", everything=False)

    inside, outside = told.column("in_sample"), told.column("out_of_sample")
    assert inside is not None
    assert outside is not None
    assert inside.hit_pct == 25
    assert outside.hit_pct is None


def test_all_lines_begin_at_nothing_gained_before_the_first_day() -> None:
    drawn = equity(
        {
            "days": ["2026-01-02", "2026-01-03"],
            "in_sample": [5.0, 6.0],
            "out_of_sample": [10.0, -10.0],
            "holding": [20.0, -20.0],
        }
    )

    paths = [path.split("L") for path in re.findall(r'<path class="line[^"]*" d="M([^"]+)"', drawn)]
    assert [len(path) for path in paths] == [3, 3, 3]
    assert len({path[0] for path in paths}) == 1
    assert "26.01.02" in drawn


def test_strategy_that_chooses_nothing_has_no_line_in_sample() -> None:
    drawn = equity(
        {"days": ["2026-01-02"], "in_sample": [], "out_of_sample": [1.0], "holding": [2.0]}
    )

    assert drawn.count("<path") == 2


def test_thousand_days_are_drawn_with_few_points() -> None:
    days = [f"2026-01-{1 + n % 28:02d}" for n in range(1000)]
    line = [float(n % 7) for n in range(1000)]

    drawn = equity({"days": days, "in_sample": line, "out_of_sample": line, "holding": line})

    assert drawn.count("L") < 3 * 310


@pytest.mark.parametrize(("count", "labels"), [(1, 1), (9, 9), (10, 10), (33, 5), (100, 5)])
def test_labels_of_many_k_have_room(count: int, labels: int) -> None:
    ks: list[BacktestK] = [
        {"k": Decimal(f"0.{n:03d}"), "return_pct": n - 3.0, "trades": 1, "chosen_days": 1}
        for n in range(count)
    ]

    drawn = bars(ks, Decimal(0))

    assert drawn.count('text-anchor="middle"') == labels
    assert drawn.count("<rect") == count
    assert drawn.count('class="strong"') == 1
