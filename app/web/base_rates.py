"""How often it happened before, as pages tell it: shares with one decimal, and of how many days."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import Flask

from app.domain.base_rates import WINDOW_DAYS, BaseRate
from app.domain.votes import Duration
from app.i18n import english, gettext
from app.services.votes import VoteView
from app.web.filters import duration, shares, signed_pct

#: A year of days has so many windows less, since the last ones aren't over.
_RUNNING = {Duration.DAY: 1, Duration.WEEK: 7, Duration.MONTH: 31}
#: A listing or a halt of a few days doesn't make a year a short history.
_FEW_DAYS = 7


@dataclass(frozen=True, slots=True)
class Past:
    """In `hits` of `windows` days it happened; `since` and `until` where the days are known."""

    hits: int
    windows: int
    duration: Duration
    since: date | None = None
    until: date | None = None

    @property
    def pct(self) -> Decimal:
        """The rate in percent with one decimal; neither 0.0 nor 100.0 unless it is exactly that."""
        return shares(self.hits, self.windows - self.hits)[0]

    @property
    def is_year(self) -> bool:
        """Whether a whole year is known, but for a few days."""
        return self.windows >= WINDOW_DAYS - _RUNNING[self.duration] - _FEW_DAYS


def past(rate: BaseRate | None, period: Duration) -> Past | None:
    """A base rate for a page, or None where nothing is known."""
    if rate is None:
        return None
    return Past(rate.hits, rate.windows, period, rate.since, rate.until)


def past_at_creation(view: VoteView) -> Past | None:
    """What was known when the question was asked, or None where that was nothing."""
    if view.base_rate_hits is None or view.base_rate_windows is None:
        return None
    return Past(view.base_rate_hits, view.base_rate_windows, view.duration)


def rate_bars(
    rates: Mapping[Duration, BaseRate], target_pct: int
) -> Iterator[tuple[str, Decimal, str]]:
    """One bar per period: `1주일 +5%`, the share, and on how many days."""
    for period in Duration:
        found = past(rates.get(period), period)
        if found is not None:
            label = f"{duration(period)} {signed_pct(target_pct, 0)}"
            yield label, found.pct, gettext("%(n)s일", n=found.hits)


def calendar_day(day: date) -> str:
    """A day with its year: `2026.11.19`, in English `2026-11-19`."""
    return day.isoformat() if english() else f"{day:%Y.%m.%d}"


def init_app(app: Flask) -> None:
    """Give the bars to the templates."""
    app.jinja_env.globals["rate_bars"] = rate_bars
    app.add_template_filter(calendar_day)
