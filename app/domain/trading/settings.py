"""What a person sets of a bot: its coins, its strategy, its money, its limits."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from app.domain.errors import InvalidInput
from app.domain.trading.bounds import check_bounds
from app.domain.trading.breakout import VolatilityBreakout
from app.domain.trading.crossing import MovingAverageCrossing
from app.domain.trading.limits import Limits
from app.domain.trading.selection import check_grid
from app.domain.trading.sizing import Allocation
from app.domain.trading.strategy import StopLoss, Strategy, check_days_count
from app.domain.trading.ticks import Ticks

MOST_COINS = 20
MOST_WINDOW = 200
#: What both exchanges take at least for an order, in won.
LEAST_ORDER = Decimal(5_000)
LEAST_CAPITAL, MOST_CAPITAL = LEAST_ORDER, Decimal(1_000_000_000)
_CODE = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,8})?", re.ASCII)
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
        _check_codes(self.codes)
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
        return {name: _text(value) for name, value in found.items()}


def settings_from_json(text: str) -> BotSettings:
    """What `to_json` wrote."""
    return typed_settings(json.loads(text))


def typed_settings(typed: Mapping[str, str]) -> BotSettings:
    """Settings as people type them; an empty or absent field is none, or the usual value.

    Raises InvalidInput naming the field.
    """
    usual = BotSettings().as_texts()
    texts = {name: str(typed.get(name, usual[name])).strip() for name in usual}
    rest = _whole(texts, "rest") or 0
    return BotSettings(
        codes=_codes(texts["codes"]),
        plays=_plays(texts["plays"]),
        capital=_needed(texts, "capital"),
        k=_number(texts, "k"),
        window=_whole(texts, "window") or 0,
        mean_days=_whole(texts, "mean_days"),
        short=_whole(texts, "short") or 0,
        long=_whole(texts, "long") or 0,
        stop_loss_pct=_number(texts, "stop_loss"),
        share_pct=_needed(texts, "share"),
        limits=Limits(
            per_order=_number(texts, "per_order"),
            per_day=_number(texts, "per_day"),
            daily_loss_pct=_number(texts, "daily_loss"),
            rest=min(rest, 10_000) * _HOUR,
        ),
    )


def _check_k(k: Decimal) -> None:
    try:
        check_grid([k])
    except InvalidInput as error:
        raise InvalidInput("k", error.code, **error.params) from error


def _check_codes(codes: tuple[str, ...]) -> None:
    if not 1 <= len(codes) <= MOST_COINS:
        raise InvalidInput("codes", "bot_coins_count", most=MOST_COINS)
    if len(set(codes)) != len(codes):
        raise InvalidInput("codes", "bot_coins_twice")
    if not all(_CODE.fullmatch(code) for code in codes):
        raise InvalidInput("codes", "coin_unknown")


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.upper().replace(",", " ").split())


def _plays(text: str) -> Plays:
    try:
        return Plays(text)
    except ValueError:
        raise InvalidInput("plays", "strategy_unknown") from None


def _needed(texts: Mapping[str, str], name: str) -> Decimal:
    found = _number(texts, name)
    if found is None:
        raise InvalidInput(name, "field_missing")
    return found


def _number(texts: Mapping[str, str], name: str) -> Decimal | None:
    text = texts[name].replace(",", "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(name, "not_a_number")
    return Decimal(text)


def _whole(texts: Mapping[str, str], name: str) -> int | None:
    found = _number(texts, name)
    if found is not None and found != int(found):
        raise InvalidInput(name, "setting_too_fine", decimals=0)
    return None if found is None else int(found)


def _text(value: object) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
