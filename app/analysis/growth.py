"""What one won becomes in a day, for each day of a coin and each k at once."""

from dataclasses import dataclass

import numpy as np

from app.analysis.coin import Coin, Ks, Share
from app.analysis.scratch import Flags, Scratch
from app.analysis.steps import Floats, Places
from app.domain.trading import Search

#: The long way makes many arrays, so it goes by pieces that stay in the processor's cache.
_FEW_CELLS = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """Trades cell by cell, in counts of the coin's unit; where not `made` nothing was bought."""

    made: Flags
    target: Floats
    bought: Floats
    sold: Floats
    stopped: Flags
    growth: Floats


def trades_at(coin: Coin, rows: Places, numers: Floats, denom: float, search: Search) -> Trades:
    """The trades of some rows, the long way; `numers` / `denom` is k, of each row or of each cell.

    This is the strategy's rule word by word: see `domain.trading.breakout` and `replay`.
    """
    by_row = (slice(None), None) if numers.ndim == 2 else (slice(None),)
    era, steps = coin.era[rows], coin.steps
    first, high, low, breadth, next_sold = (
        column[rows][by_row] for column in (coin.open, coin.high, coin.low, coin.range, coin.sold)
    )
    slip = Share.of(search.costs.slippage)
    target = steps.down(first * denom + breadth * numers, denom, era)
    if coin.mean is not None:
        target = np.maximum(target, coin.mean[rows][by_row])
    made = high > target
    decided = np.maximum(target, first)
    bought = steps.up(decided * (slip.denom + slip.numer), slip.denom, era)
    sold, stopped = np.broadcast_to(next_sold, target.shape), np.zeros(target.shape, np.bool_)
    if search.stop_loss_pct is not None:
        stop = Share.of(search.stop_loss_pct / 100)
        level = steps.up(bought * (stop.denom - stop.numer), stop.denom, era)
        stopped = made & (low <= level)
        before = np.where((first > target) & (high <= level), first, high)
        price = np.minimum(level, before)
        cut = steps.down(price * (slip.denom - slip.numer), slip.denom, era)
        sold = np.where(stopped, cut, sold)
    growth = np.where(made, kept(search) * sold / bought, 1.0)
    return Trades(made, target, bought, sold, stopped, growth)


def growths(coin: Coin, ks: Ks, search: Search, scratch: Scratch) -> tuple[Floats, Flags]:
    """Growth and whether there was a trade: a row for each day, a column for each k.

    Both lie in `scratch`.
    """
    shape = (len(coin.days), len(ks.numers))
    growth, made = scratch.floats("growth", *shape), scratch.flags("made", *shape)
    usual = _usual_rows(coin, ks, search)
    if usual.any():
        _fill_usual(coin, ks, search, growth, made, scratch)
    unusual = np.flatnonzero(~usual)
    few = max(1, _FEW_CELLS // shape[1])
    for start in range(0, len(unusual), few):
        rows = unusual[start : start + few]
        trades = trades_at(coin, rows, ks.numers[None, :], ks.denom, search)
        growth[rows], made[rows] = trades.growth, trades.made
    return growth, made


def kept(search: Search) -> float:
    """What both fees leave of a purchase and a sale at one price."""
    return float((1 - search.costs.ask_fee) / (1 + search.costs.bid_fee))


def _usual_rows(coin: Coin, ks: Ks, search: Search) -> Flags:
    """Days whose prices all lie where one step holds, from the open to the dearest purchase."""
    if search.stop_loss_pct is not None:
        return np.zeros(len(coin.days), np.bool_)
    dearest = coin.open + coin.range * (ks.numers[-1] / ks.denom)
    if coin.mean is not None:
        dearest = np.maximum(dearest, coin.mean)
    slip = Share.of(search.costs.slippage)
    fits: Flags = dearest * (1 + slip.numer / slip.denom) < coin.end * (1 - 1e-9)
    fits &= np.equal(coin.open % coin.step, 0.0)
    return fits


def _fill_usual(
    coin: Coin, ks: Ks, search: Search, growth: Floats, made: Flags, scratch: Scratch
) -> None:
    """The short way, counting in steps: rows that aren't usual get figures of no meaning.

    A small excess is added before each floor: less than half of what exact arithmetic could leave
    below the next whole number, and far more than rounding can have lost.
    """
    step = coin.step
    cells = scratch.floats("cells", *growth.shape)
    by_day = np.stack([coin.range / step, coin.open / step + 0.5 / (ks.denom * step)], axis=1)
    by_k = np.stack([ks.numers / ks.denom, np.ones_like(ks.numers)])
    np.matmul(by_day, by_k, out=cells)  # one pass where a product and a sum would be two
    np.floor(cells, out=cells)
    if coin.mean is not None:
        np.maximum(cells, np.floor(coin.mean / step)[:, None], out=cells)
    np.less(cells, np.ceil(coin.high / step)[:, None], out=made)
    slip = Share.of(search.costs.slippage)
    if slip.numer:
        cells *= 1 + slip.numer / slip.denom
        cells += 1 - 0.5 / slip.denom
        np.floor(cells, out=cells)
    growth.fill(1.0)
    worth = (coin.sold * kept(search) / step)[:, None]
    with np.errstate(divide="ignore"):  # rows without meaning
        np.divide(worth, cells, out=growth, where=made)
