"""What a person asks of a backtest: coins, days, the grid of k, costs, strategy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.trading.bounds import check_bounds
from app.domain.trading.costs import Costs
from app.domain.trading.crossing import MovingAverageCrossing
from app.domain.trading.selection import Search, make_grid
from app.domain.trading.settings import LEAST_CAPITAL, MOST_CAPITAL, Plays
from app.domain.trading.strategy import StopLoss, check_days_count
from app.domain.trading.typed import as_text, check_codes, codes, needed, number, whole

FEWEST_DAYS, MOST_DAYS = 10, 1000
_ONE_PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class BacktestSettings:
    """All that decides a backtest. Raises InvalidInput, naming the field, for what can't be.

    The last `days` finished days of each coin are looked at; k is chosen from `k_first`, `k_first`
    + `k_step` … `k_last` over `window` days. Fee and slippage are percentages of one trade. With
    CROSSING there is no k, and `short` and `long` are the days of its two means.
    """

    codes: tuple[str, ...] = ("BTC",)
    plays: Plays = Plays.BREAKOUT
    days: int = 365
    k_first: Decimal = Decimal("0.1")
    k_last: Decimal = Decimal("0.9")
    k_step: Decimal = Decimal("0.1")
    window: int = 30
    fee_pct: Decimal = Decimal("0.05")
    slippage_pct: Decimal = Decimal("0.1")
    mean_days: int | None = None
    stop_loss_pct: Decimal | None = None
    short: int = 5
    long: int = 20
    capital: Decimal = Decimal(1_000_000)

    def __post_init__(self) -> None:
        check_codes(self.codes)
        check_days_count("days", self.days, low=FEWEST_DAYS, high=MOST_DAYS)
        check_bounds("capital", self.capital, low=LEAST_CAPITAL, high=MOST_CAPITAL, decimals=0)
        if self.chooses_k:
            self.search()
        else:
            self.crossing()

    @property
    def chooses_k(self) -> bool:
        """Whether there is a k to be chosen."""
        return self.plays is Plays.BREAKOUT

    def costs(self) -> Costs:
        """Fee and slippage as shares; prices move in the steps of their day."""
        fee = self.fee_pct * _ONE_PERCENT
        try:
            return Costs(fee, fee, self.slippage_pct * _ONE_PERCENT)
        except InvalidInput as error:
            raise InvalidInput(error.field, error.code, **_as_percent(error.params)) from error

    def search(self) -> Search:
        """How k is looked for."""
        return Search(
            costs=self.costs(),
            window=self.window,
            grid=self._grid(),
            mean_days=self.mean_days,
            stop_loss_pct=self.stop_loss_pct,
        )

    def crossing(self) -> MovingAverageCrossing:
        """The strategy without a k."""
        ticks, pct = self.costs().ticks, self.stop_loss_pct
        return MovingAverageCrossing(
            self.short, self.long, None if pct is None else StopLoss(pct, ticks)
        )

    def to_json(self) -> str:
        """As text for the database; numbers as text, so that no digit is lost."""
        return json.dumps(self.as_texts(), ensure_ascii=False)

    def as_texts(self) -> dict[str, str]:
        """Each setting as a person would type it; "" for none."""
        found: dict[str, object] = {
            "codes": " ".join(self.codes),
            "plays": self.plays.value,
            "days": self.days,
            "k_first": self.k_first,
            "k_last": self.k_last,
            "k_step": self.k_step,
            "window": self.window,
            "fee": self.fee_pct,
            "slippage": self.slippage_pct,
            "mean_days": self.mean_days,
            "stop_loss": self.stop_loss_pct,
            "short": self.short,
            "long": self.long,
            "capital": self.capital,
        }
        return {name: as_text(value) for name, value in found.items()}

    def _grid(self) -> tuple[Decimal, ...]:
        """The values of k; what is wrong with them is told at the first field of theirs."""
        try:
            return make_grid(self.k_first, self.k_last, self.k_step)
        except InvalidInput as error:
            place = {"grid_step": "k_step", "grid": "k_first"}.get(error.field, error.field)
            raise InvalidInput(place, error.code, **error.params) from error


def backtest_from_json(text: str) -> BacktestSettings:
    """What `to_json` wrote."""
    return typed_backtest(json.loads(text))


def typed_backtest(typed: Mapping[str, str]) -> BacktestSettings:
    """Settings as people type them; an empty or absent field is none, or the usual value.

    Raises InvalidInput naming the field.
    """
    usual = BacktestSettings().as_texts()
    texts = {name: str(typed.get(name, usual[name])).strip() for name in usual}
    return BacktestSettings(
        codes=codes(texts["codes"]),
        plays=_plays(texts["plays"]),
        days=whole(texts, "days") or 0,
        k_first=needed(texts, "k_first"),
        k_last=needed(texts, "k_last"),
        k_step=needed(texts, "k_step"),
        window=whole(texts, "window") or 0,
        fee_pct=needed(texts, "fee"),
        slippage_pct=needed(texts, "slippage"),
        mean_days=whole(texts, "mean_days"),
        stop_loss_pct=number(texts, "stop_loss"),
        short=whole(texts, "short") or 0,
        long=whole(texts, "long") or 0,
        capital=needed(texts, "capital"),
    )


def _plays(text: str) -> Plays:
    try:
        return Plays(text)
    except ValueError:
        raise InvalidInput("plays", "strategy_unknown") from None


def _as_percent(params: Mapping[str, object]) -> dict[str, object]:
    """The bounds of a share as those of a percentage, in which it was typed."""
    found = dict(params)
    for name in ("low", "high"):
        if name in found:
            found[name] = f"{(Decimal(str(found[name])) * 100).normalize():f}"
    if "decimals" in found:
        found["decimals"] = int(str(found["decimals"])) - 2
    return found
