"""A backtest as files for spreadsheets: marked as UTF-8, every figure written out."""

from decimal import Decimal
from typing import cast

from app.services.trading.results import BacktestCoin
from app.services.trading.sheets import k_sheet, trade_sheet

TRADE = {
    "part": "out", "day": "2026-01-02", "k": Decimal("0.5"), "target": Decimal("0.00000012"),
    "bought_at": Decimal("0.00000013"), "sold_on": "2026-01-03", "sold_at": Decimal("1E+3"),
    "reason": None, "fee": Decimal("0E-8"), "return_pct": Decimal("-1.5"),
}  # fmt: skip
K = {"k": Decimal("0.5"), "return_pct": -0.0001, "trades": 3, "chosen_days": 2}
COIN = cast(BacktestCoin, {"code": "BTC", "trades": [TRADE], "ks": [K]})


def test_files_say_that_they_are_utf8() -> None:
    for sheet in (trade_sheet([COIN]), k_sheet([COIN])):
        lines = list(sheet)
        assert [line.startswith("\ufeff") for line in lines] == [True, False]


def test_every_figure_is_written_out_without_an_exponent() -> None:
    line = list(trade_sheet([COIN]))[1]

    assert line == (
        "BTC,out,2026-01-02,0.5,0.00000012,0.00000013,2026-01-03,1000,,0.00000000,-1.5\r\n"
    )


def test_each_k_has_a_line() -> None:
    assert list(k_sheet([COIN]))[1] == "BTC,0.5,-0.0001,3,2\r\n"
