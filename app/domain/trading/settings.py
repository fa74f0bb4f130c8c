"""What a person sets of a bot: its coins, its strategy, its money, its limits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from app.domain.errors import InvalidInput
from app.domain.trading.bounds import check_bounds
from app.domain.trading.breakout import VolatilityBreakout
from app.domain.trading.crossing import MovingAverageCrossing
from app.domain.trading.limits import Limits
from app.domain.trading.selection import check_grid
from app.domain.trading.sizing import Allocation
from app.domain.trading.strategy import StopLoss, Strategy, check_days_count
from app.domain.trading.ticks import Ticks
from app.domain.trading.typed import as_text, check_codes, codes, needed, number, whole

MOST_WINDOW = 200
#: What both exchanges take at least for an order, in won.
LEAST_ORDER = Decimal(5_000)
LEAST_CAPITAL, MOST_CAPITAL = LEAST_ORDER, Decimal(1_000_000_000)
_HOUR = timedelta(hours=1)


class Plays(StrEnum):
    """The strategies that a bot can play."""

    BREAKOUT = "breakout"
    CROSSING = "crossing"


@dataclass(frozen=True, slots=True)
class BotSettings:
    """All that decides what a bot does. Raises InvalidInput, naming the field, for what can't be.

    `capital` is the won entrusted to it. With `k` None the best k of each coin is chosen anew every
    day over the last `window` days. `share_pct` is what one coin may take of the bot's money.
    """

    codes: tuple[str, ...] = ("BTC",)
    plays: Plays = Plays.BREAKOUT
    capital: Decimal = Decimal(1_000_000)
    k: Decimal | None = Decimal("0.5")
    window: int = 30
    mean_days: int | None = None
    short: int = 5
    long: int = 20
    stop_loss_pct: Decimal | None = Decimal(3)
    share_pct: Decimal = Decimal(25)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        check_codes(self.codes)
        bounds = {"low": LEAST_CAPITAL, "high": MOST_CAPITAL}
        check_bounds("capital", self.capital, decimals=0, **bounds)
        check_days_count("window", self.window, high=MOST_WINDOW)
        if self.k is not None:
            _check_k(self.k)
        Allocation(self.share_pct)
        self.strategy(Decimal(1))

    @property
    def markets(self) -> tuple[str, ...]:
        """The coins as markets against won."""
        return tuple(f"KRW-{code}" for code in self.codes)

    @property
    def chooses_k(self) -> bool:
        """Whether k is chosen anew every day."""
        return self.plays is Plays.BREAKOUT and self.k is None

    def strategy(self, chosen: Decimal, ticks: Ticks | None = None) -> Strategy:
        """What decides for one coin; `chosen` is its k where k is chosen anew every day."""
        steps = ticks or Ticks()
        stop = None if self.stop_loss_pct is None else StopLoss(self.stop_loss_pct, steps)
        if self.plays is Plays.CROSSING:
            return MovingAverageCrossing(self.short, self.long, stop)
        return VolatilityBreakout(self.k or chosen, steps, self.mean_days, stop)

    def to_json(self) -> str:
        """As text for the database; numbers as text, so that no digit is lost."""
        return json.dumps(self.as_texts(), ensure_ascii=False)

    def as_texts(self) -> dict[str, str]:
        """Each setting as a person would type it; "" for none."""
        limits = self.limits
        found: dict[str, object] = {
            "codes": " ".join(self.codes),
            "plays": self.plays.value,
            "capital": self.capital,
            "k": self.k,
            "window": self.window,
            "mean_days": self.mean_days,
            "short": self.short,
            "long": self.long,
            "stop_loss": self.stop_loss_pct,
            "share": self.share_pct,
            "per_order": limits.per_order,
            "per_day": limits.per_day,
            "daily_loss": limits.daily_loss_pct,
            "rest": Decimal(limits.rest // _HOUR),
        }
        return {name: as_text(value) for name, value in found.items()}


@lru_cache(maxsize=1024)
def settings_from_json(text: str) -> BotSettings:
    """What `to_json` wrote; remembered, since each bot's are read every second."""
    return typed_settings(json.loads(text))


def typed_settings(typed: Mapping[str, str]) -> BotSettings:
    """Settings as people type them; an empty or absent field is none, or the usual value.

    Raises InvalidInput naming the field.
    """
    usual = BotSettings().as_texts()
    texts = {name: str(typed.get(name, usual[name])).strip() for name in usual}
    rest = whole(texts, "rest") or 0
    return BotSettings(
        codes=codes(texts["codes"]),
        plays=_plays(texts["plays"]),
        capital=needed(texts, "capital"),
        k=number(texts, "k"),
        window=whole(texts, "window") or 0,
        mean_days=whole(texts, "mean_days"),
        short=whole(texts, "short") or 0,
        long=whole(texts, "long") or 0,
        stop_loss_pct=number(texts, "stop_loss"),
        share_pct=needed(texts, "share"),
        limits=Limits(
            per_order=number(texts, "per_order"),
            per_day=number(texts, "per_day"),
            daily_loss_pct=number(texts, "daily_loss"),
            rest=min(rest, 10_000) * _HOUR,
        ),
    )


def _check_k(k: Decimal) -> None:
    try:
        check_grid([k])
    except InvalidInput as error:
        raise InvalidInput("k", error.code, **error.params) from error


def _plays(text: str) -> Plays:
    try:
        return Plays(text)
    except ValueError:
        raise InvalidInput("plays", "strategy_unknown") from None
