"""Which exchanges there are, by name."""

from app.exchanges.upbit import Upbit

MARKETS: dict[str, type[Upbit]] = {Upbit.source: Upbit}
