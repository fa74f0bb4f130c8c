"""`python -m benchmarks [name …]`: run all benchmarks or the named ones, print the table."""

import argparse
import logging
import sys
import time
from collections.abc import Callable
from importlib import import_module

from benchmarks import (
    answer,
    answer_json,
    base_rate,
    candle_fill,
    decide,
    fanout,
    list_page,
    minute,
    settle,
    settle_million,
    start,
    stream,
    tick_to_page,
    votes_json,
)
from benchmarks.table import DifferentResult, Row, render, write
from config import INSTANCE


def _with_peers(name: str) -> Callable[[], list[Row]]:
    """A benchmark whose peers `make bench` alone installs, so it is loaded when it is run."""
    return lambda: import_module(f"benchmarks.{name}").run()


BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "settle": settle.run,
    "settle_million": settle_million.run,
    "minute": minute.run,
    "list_page": list_page.run,
    "answer": answer.run,
    "votes_json": votes_json.run,
    "answer_json": answer_json.run,
    "fanout": fanout.run,
    "stream": stream.run,
    "tick_to_page": tick_to_page.run,
    "start": start.run,
    "candle_fill": candle_fill.run,
    "base_rate": base_rate.run,
    "k_search": _with_peers("k_search"),
    "backtest": _with_peers("backtest"),
    "decide": decide.run,
}


def main() -> int:
    """Run, print, keep; 1 when one failed or a peer's result differs from ours."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    logging.basicConfig(level=logging.ERROR)
    rows: list[Row] = []
    failed = False
    for name in names:
        began = time.perf_counter()
        try:
            rows += BENCHMARKS[name]()
        except (DifferentResult, RuntimeError, OSError, ImportError) as error:
            print(f"{name}: FAILED: {type(error).__name__}: {error}", file=sys.stderr)
            failed = True
            continue
        print(f"{name}: done in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        write(rows, INSTANCE / "bench.json")
    print(render(rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
