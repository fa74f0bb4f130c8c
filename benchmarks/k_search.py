"""`k_search`: 120 coins, 1,000 days, 100 values of k, fees, slippage, chosen anew for each day."""

import time
from collections.abc import Callable

import numpy as np

from app.analysis.history import History
from app.analysis.k_search import Searched, search_all
from benchmarks import k_search_peers as peers
from benchmarks.markets import GRID, KEPT, SEARCH, Sheet, make_markets
from benchmarks.table import DifferentResult, Row, middle, must_equal

COINS, DAYS = 120, 1000
#: The peers take so long that they get fewer coins, and are compared by cells per second.
LOOP_COINS, VECTORBT_COINS = 4, 12
RUNS, PEER_RUNS = 15, 3
TOLERANCE = 1e-9
Chosen = list[tuple[list[int], float]]


def run() -> list[Row]:
    """Ours, a loop over pandas, vectorbt, and one pass over as many numbers."""
    markets = make_markets(COINS, DAYS)
    sheets = [Sheet.of(market) for market in markets[:VECTORBT_COINS]]
    ours = _ours(markets)
    for name, peer, coins in _peers():
        _must_agree(name, ours, peer(sheets[:coins]))  # warms up, too
    rate = middle([_rate(COINS, lambda: _ours(markets)) for _ in range(RUNS)])
    cells, other = (np.ones((COINS, DAYS, len(GRID))) for _ in range(2))
    limit = middle([_rate(COINS, lambda: np.multiply(cells, KEPT, out=other)) for _ in range(RUNS)])
    rates = {name: _peer_rate(peer, sheets[:coins]) for name, peer, coins in _peers()}
    alike = f"k of each day equal, growth within {TOLERANCE:g}"
    return [
        Row(
            "k_search",
            rate,
            "Mcells/s",
            peer=rates["pandas"],
            limit=limit,
            target_vs_peer=300,
            target_vs_limit=0.3,
            notes=(
                f"{COINS * DAYS * len(GRID) / rate / 1e3:.0f} ms; {RUNS} runs, peers {PEER_RUNS};"
                f" peer: pandas, a loop over {LOOP_COINS} coins and all k; {alike}; limit: one"
                " numpy multiplication of all cells into memory that is there",
            ),
        ),
        Row(
            "k_search_vectorbt",
            rate,
            "Mcells/s",
            peer=rates["vectorbt"],
            target_vs_peer=20,
            notes=(f"peer: vectorbt over {VECTORBT_COINS} coins, all k as columns; {alike}",),
        ),
    ]


def _peers() -> tuple[tuple[str, Callable[[list[Sheet]], Chosen], int], ...]:
    return (
        ("pandas", peers.pandas_loop, LOOP_COINS),
        ("vectorbt", peers.vectorbt, VECTORBT_COINS),
    )


def _ours(markets: list[History]) -> list[Searched]:
    found = [one for one in search_all(markets, SEARCH) if isinstance(one, Searched)]
    must_equal("coins searched", len(found), len(markets))
    return found


def _rate(coins: int, deed: Callable[[], object]) -> float:
    """Millions of cells per second: one cell is one coin on one day with one k."""
    began = time.perf_counter()
    deed()
    return coins * DAYS * len(GRID) / (time.perf_counter() - began) / 1e6


def _peer_rate(peer: Callable[[list[Sheet]], Chosen], sheets: list[Sheet]) -> float:
    return middle([_rate(len(sheets), lambda: peer(sheets)) for _ in range(PEER_RUNS)])


def _must_agree(name: str, ours: list[Searched], theirs: Chosen) -> None:
    for found, (chosen, growth) in zip(ours, theirs, strict=False):
        must_equal(f"{name}: k of each day", found.chosen.tolist(), chosen)
        own = float(np.prod(found.walked))
        if abs(own - growth) > TOLERANCE * own:
            raise DifferentResult(f"{name}: growth: ours {own!r}, theirs {growth!r}")
