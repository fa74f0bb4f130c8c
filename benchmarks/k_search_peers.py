"""The usual ways to look for k: a loop over pandas, and all k as columns of vectorbt."""

import numpy as np
import pandas as pd
import vectorbt as vbt

from app.domain.trading.selection import TIE
from benchmarks.markets import FEE, GRID, KEPT, SEARCH, SLIPPAGE, Sheet

WINDOW = SEARCH.window
ENOUGH = 1 - float(TIE)
#: k and slippage as whole numbers over these, so that rounding to price steps is exact.
K_PER, SLIP_PER = 100, 1000
K_NUMERS = [int(k * K_PER) for k in GRID]
SLIP = int(SLIPPAGE * SLIP_PER)
#: Much, since vectorbt takes small fractions of a coin for none.
CASH = 1e12


def pandas_loop(sheets: list[Sheet]) -> list[tuple[list[int], float]]:
    """Coin by coin and k by k, whole columns of days at a time."""
    return [_pandas_coin(sheet) for sheet in sheets]


def vectorbt(sheets: list[Sheet]) -> list[tuple[list[int], float]]:
    """Coin by coin, all k at once: two orders a day, all the money each time."""
    return [_vectorbt_coin(sheet) for sheet in sheets]


def _pandas_coin(sheet: Sheet) -> tuple[list[int], float]:
    names = ("open", "high", "range", "sold")
    days = pd.DataFrame({name: getattr(sheet, name) for name in names}, index=sheet.days)
    growth, scores = {}, {}
    for place, numer in enumerate(K_NUMERS):
        raw = days["open"] * K_PER + days["range"] * numer
        step = sheet.step(raw.to_numpy() / K_PER)
        target = raw // (step * K_PER) * step
        dear = target * (SLIP_PER + SLIP)
        step = sheet.step(dear.to_numpy() / SLIP_PER)
        bought = -(-dear // (step * SLIP_PER)) * step
        growth[place] = (days["sold"] * KEPT / bought).where(days["high"] > target, 1.0)
        scores[place] = np.log(growth[place]).rolling(WINDOW).sum()
    return _walked(np.exp(pd.DataFrame(scores)), pd.DataFrame(growth))


def _vectorbt_coin(sheet: Sheet) -> tuple[list[int], float]:
    raw = sheet.open[:, None] * K_PER + sheet.range[:, None] * np.array(K_NUMERS)
    step = sheet.step(raw / K_PER)
    target = raw // (step * K_PER) * step
    dear = target * (SLIP_PER + SLIP)
    step = sheet.step(dear / SLIP_PER)
    bought = -(-dear // (step * SLIP_PER)) * step
    made = sheet.high[:, None] > target
    price = np.empty((2 * len(raw), len(K_NUMERS)))
    price[::2], price[1::2] = bought, sheet.sold[:, None]
    size = np.empty_like(price)
    size[::2], size[1::2] = np.where(made, np.inf, np.nan), np.where(made, -np.inf, np.nan)
    orders = vbt.Portfolio.from_orders(
        pd.DataFrame(price),
        size=pd.DataFrame(size),
        direction="longonly",
        fees=float(FEE),
        init_cash=CASH,
    )
    value = orders.value().iloc[1::2].set_axis(sheet.days)
    before = value.shift(fill_value=CASH)
    return _walked(value / before.shift(WINDOW - 1), value / before)


def _walked(scores: pd.DataFrame, growth: pd.DataFrame) -> tuple[list[int], float]:
    """The place of the k chosen before each day, and what one won became by them."""
    known = scores.shift().iloc[WINDOW:]
    best = known.max(axis=1)
    chosen = known.ge(best * ENOUGH, axis=0).to_numpy().argmax(axis=1)
    walked = growth.iloc[WINDOW:].to_numpy()[np.arange(len(chosen)), chosen]
    return chosen.tolist(), float(walked.prod())
