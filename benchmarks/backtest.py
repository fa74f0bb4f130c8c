"""`backtest`: one coin, 1,000 days, one k: all trades, the curve, its figures."""

import time
import warnings
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy, backtesting

from app.analysis.backtest import Tested, with_k
from benchmarks.markets import FEE, SEARCH, make_markets
from benchmarks.table import DifferentResult, Row, middle, must_equal

DAYS = 1000
K = Decimal("0.5")
RUNS, PEER_RUNS = 51, 5
CASH = 1e15
TOLERANCE = 1e-9
backtesting._tqdm = lambda bars, **_: bars  # no bar of progress, which would slow the peer down


class Breakout(Strategy):
    """The peer's way: sell at each open, and leave an order to buy at the day's price."""

    def init(self) -> None:
        """The prices are worked out before, as an indicator would be."""
        self.entries = self.data.df["Entry"].to_numpy()

    def next(self) -> None:
        """Orders made now are filled on the next day."""
        self.position.close()
        tomorrow = len(self.data)
        if tomorrow < len(self.entries) and self.entries[tomorrow] > 0:
            self.buy(size=1, stop=self.entries[tomorrow])


def run() -> list[Row]:
    """Ours and backtesting.py on the same market."""
    (market,) = make_markets(1, DAYS)
    tested = with_k(market, SEARCH, K)
    frame = _frame(tested)
    _must_agree(tested, _peer(frame))
    ours = middle([_seconds(lambda: with_k(market, SEARCH, K)) for _ in range(RUNS)])
    peer = middle([_seconds(lambda: _peer(frame)) for _ in range(PEER_RUNS)])
    return [
        Row(
            "backtest",
            1 / ours,
            "runs/s",
            peer=1 / peer,
            target_vs_peer=50,
            notes=(
                f"{tested.line.trades} trades, {ours * 1e3:.2f} ms, peer {peer * 1e3:.0f} ms;"
                f" {RUNS} runs, peer {PEER_RUNS}; peer: backtesting.py with the prices to buy and"
                " sell at given; days of all trades equal, prices and fees within"
                f" {TOLERANCE:g}",
            ),
        )
    ]


def _frame(tested: Tested) -> pd.DataFrame:
    """Our days as the peer wants them.

    Its open is what a sale brings, its high reaches what a purchase pays; two days are put before
    the first, since it can't trade on those, and one behind the last, on which it sells.
    """
    coin, cells = tested.coin, tested.cells
    entry = np.where(cells.made, cells.bought, 0.0)
    sold_here = np.concatenate([[coin.open[0]], coin.sold])
    low = np.concatenate([np.minimum(coin.low, sold_here[:-1]), sold_here[-1:]])
    high = np.concatenate(
        [np.maximum(np.maximum(coin.high, entry), sold_here[:-1]), sold_here[-1:]]
    )
    columns = {"Open": sold_here, "High": high, "Low": low, "Close": low}
    frame = pd.DataFrame(
        {**columns, "Entry": np.append(entry, 0.0)},
        index=pd.date_range("2025-08-01", periods=len(high)),
    )
    for _ in range(2):
        earlier = frame.index[:1] - pd.Timedelta(days=1)
        frame = pd.concat([frame.iloc[:1].assign(Entry=0.0).set_axis(earlier), frame])
    return frame


def _peer(frame: pd.DataFrame) -> pd.Series:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Backtest(frame, Breakout, cash=CASH, commission=float(FEE)).run()


def _must_agree(tested: Tested, stats: pd.Series) -> None:
    trades, made = stats["_trades"], np.flatnonzero(tested.cells.made)
    must_equal("days bought on", (made + 2).tolist(), trades["EntryBar"].tolist())
    must_equal("days sold on", (made + 3).tolist(), trades["ExitBar"].tolist())
    bought, sold = tested.cells.bought[made], tested.cells.sold[made]
    fees = (bought + sold) * float(FEE)
    for name, ours in (("EntryPrice", bought), ("ExitPrice", sold), ("Commission", fees)):
        if not np.allclose(ours, trades[name], rtol=TOLERANCE, atol=0):
            raise DifferentResult(name)


def _seconds(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began
