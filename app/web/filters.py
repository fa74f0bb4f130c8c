"""All formatting of pages: won, percent, counts, Korean time, durations, the question itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import lru_cache, wraps
from typing import Protocol

from flask import Flask
from jinja2 import StrictUndefined, pass_context

from app.domain.kst import kst_day, to_kst
from app.domain.points import accuracy_pct
from app.i18n import english, gettext, language, ngettext

MINUS = "−"
SOON = timedelta(hours=3)

_DECIMALS_FROM = ((Decimal(1000), 0), (Decimal(100), 1), (Decimal(1), 2))
_FINEST = 8
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAYS_KO = "월화수목금토일"
_HUNDRED = Decimal(100)
_TENTH = Decimal("0.1")


class Named(Protocol):
    """What has a name in both languages."""

    @property
    def korean_name(self) -> str: ...
    @property
    def english_name(self) -> str: ...


class Asked(Named, Protocol):
    """What the sentence of a question is made of."""

    @property
    def direction(self) -> str: ...
    @property
    def duration(self) -> str: ...
    @property
    def range_pct(self) -> int: ...


def won(value: Decimal | int) -> str:
    """A price for reading: from 1,000 no decimals, from 100 one, from 1 two, below up to eight.

    No unit, no trailing zeros, never an exponent: `146,918,000`, `312.4`, `0.01184`.
    """
    value = Decimal(value)
    size = abs(value)
    places = next((places for floor, places in _DECIMALS_FROM if size >= floor), _FINEST)
    return _grouped(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def won_exact(value: Decimal | int) -> str:
    """A price with every digit it has, as receipts show it."""
    return _grouped(Decimal(value))


def krw(value: Decimal | int, exact: bool = False) -> str:
    """A price with its unit: `312.4원`, in English `312.4 KRW`."""
    return gettext("%(amount)s원", amount=won_exact(value) if exact else won(value))


def turnover(value: float | Decimal) -> str:
    """A 24-hour turnover, roughly: `4,128억`, in English `₩412.8B`."""
    amount = Decimal(str(value))
    if english():
        return f"₩{(amount / 10**9).quantize(_TENTH, ROUND_HALF_UP):,f}B"
    return f"{(amount / 10**8).quantize(Decimal(1), ROUND_HALF_UP):,f}억"


def whole_turnover(value: float | Decimal) -> str:
    """A large turnover in two units: `3조 2,418억원`, in English `₩3,241.8B`."""
    if english():
        return turnover(value)
    hundred_millions = int((Decimal(str(value)) / 10**8).to_integral(ROUND_HALF_UP))
    trillions, rest = divmod(hundred_millions, 10_000)
    if not trillions:
        return f"{rest:,}억원"
    return f"{trillions:,}조 {rest:,}억원" if rest else f"{trillions:,}조원"


def signed_won(value: Decimal | int) -> str:
    """A change of a price with its sign: `+2,654,000`, `−0.00066`, `0`."""
    return f"+{won(value)}" if value > 0 else won(value)


def count(number: int) -> str:
    """A number of things, grouped by thousands."""
    return f"{number:,d}".replace("-", MINUS)


def signed_count(number: int) -> str:
    """A change of points with its sign: `+20`, `−10`, `0`."""
    return f"+{number:,d}" if number > 0 else count(number)


def people(number: int) -> str:
    """`348명`, in English only the number."""
    return gettext("%(n)s명", n=count(number))


def answers(number: int) -> str:
    """`348명 참여`, in English `348 answers`."""
    return ngettext("%(n)s명 참여", "%(n)s명 참여", number, n=count(number))


def change_pct(start: Decimal, end: Decimal) -> Decimal:
    """The change from `start` to `end` in percent of `start`, unrounded."""
    return (end - start) * _HUNDRED / start


def signed_pct(value: Decimal | int, digits: int = 2) -> str:
    """A change with its sign: `+3.21%`, `−1.36%`, `0.00%`.

    Digits are cut, not rounded, so that a change never seems to have reached a target it missed.
    """
    shown = _cut(value, digits)
    sign = "+" if shown > 0 else MINUS if shown < 0 else ""
    return f"{sign}{abs(shown):,f}%"


def tone(value: Decimal | int, digits: int = 2) -> str:
    """Which way a change points as shown: `up`, `down` or `flat`."""
    shown = _cut(value, digits)
    return "up" if shown > 0 else "down" if shown < 0 else "flat"


def shares(yes: int, no: int) -> tuple[Decimal, Decimal]:
    """Both sides in percent with one decimal, together 100; 0 and 0 when nobody answered.

    A side that has answers never reads 0.0, so the other never reads 100.0.
    """
    if yes + no == 0:
        return Decimal("0.0"), Decimal("0.0")
    share = (_HUNDRED * yes / (yes + no)).quantize(_TENTH, ROUND_HALF_UP)
    if yes and no:
        share = min(max(share, _TENTH), _HUNDRED - _TENTH)
    return share, _HUNDRED.quantize(_TENTH) - share


def accuracy(right: int, settled: int) -> str:
    """Share of right answers, two decimals, cut, not rounded: 69.999 isn't yet a whale's 70."""
    return f"{accuracy_pct(right=right, settled=settled):f}"


def iso(moment: datetime) -> str:
    """The moment for machines: `2026-11-20T05:05:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(moment: datetime) -> str:
    """`11.16`, in English `16 Nov`."""
    at = to_kst(moment)
    return f"{at.day} {_MONTHS[at.month - 1]}" if english() else f"{at.month}.{at.day:02d}"


def day_words(moment: datetime) -> str:
    """`11월 16일`, in English `16 Nov`."""
    at = to_kst(moment)
    return day(moment) if english() else f"{at.month}월 {at.day}일"


def weekday(moment: datetime) -> str:
    """`11월 20일 금요일`, in English `Friday, 20 Nov`."""
    at = to_kst(moment)
    if english():
        return f"{_WEEKDAYS[at.weekday()]}, {day(moment)}"
    return f"{day_words(moment)} {_WEEKDAYS_KO[at.weekday()]}요일"


def at_words(moment: datetime) -> str:
    """`11월 16일 14:05`, in English `16 Nov, 14:05`."""
    return _joined(day_words(moment), f"{to_kst(moment):%H:%M}")


def at_minute(moment: datetime) -> str:
    """`11.16 14:05`, in English `16 Nov, 14:05`."""
    return _joined(day(moment), f"{to_kst(moment):%H:%M}")


def at_second(moment: datetime) -> str:
    """`11.16 14:05:00`, in English `16 Nov, 14:05:00`."""
    return _joined(day(moment), f"{to_kst(moment):%H:%M:%S}")


def clock(moment: datetime) -> str:
    """`14:05:00` on a Korean clock."""
    return f"{to_kst(moment):%H:%M:%S}"


def recent(moment: datetime, now: datetime) -> str:
    """`오늘 14:05`, `어제 22:41`, `11.18 20:03`; another year is named."""
    at, today = to_kst(moment), kst_day(now)
    if at.date() == today:
        return gettext("오늘 %(time)s", time=f"{at:%H:%M}")
    if at.date() == today - timedelta(days=1):
        return gettext("어제 %(time)s", time=f"{at:%H:%M}")
    return at_minute(moment) if at.year == today.year else f"{at:%Y-%m-%d %H:%M}"


def receipt_time(moment: datetime) -> str:
    """To the second, for evidence: `2026-11-20 14:05:03 KST`."""
    return f"{to_kst(moment):%Y-%m-%d %H:%M:%S} KST"


def receipt_minute(moment: datetime) -> str:
    """The minute a candle opened, for evidence: `2026-11-20 14:04 KST`."""
    return f"{to_kst(moment):%Y-%m-%d %H:%M} KST"


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `2시간 14분`, `3일 8시간`, `47분`, `12초`."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 60:
        return gettext("%(n)s초", n=seconds)
    return _span(seconds // 60, language())


def time_left(moment: datetime, now: datetime) -> str:
    """`2시간 14분 남음`, in English `2 h 14 m left`; under a minute and after it, words."""
    if moment <= now:
        return gettext("마감했어요")
    if moment - now < timedelta(minutes=1):
        return gettext("곧 마감해요")
    return gettext("%(span)s 남음", span=span(moment - now))


def is_soon(moment: datetime, now: datetime) -> bool:
    """Whether the moment is less than three hours ahead, or past."""
    return moment - now < SOON


def time_ago(moment: datetime, now: datetime) -> str:
    """The age of a live figure: `2초 전`, `4분 전`, `1시간 20분 전`."""
    return gettext("%(span)s 전", span=span(now - moment))


def duration(period: str) -> str:
    """The period of a question: `1일`, `1주일`, `1개월`."""
    words = {"day": gettext("1일"), "week": gettext("1주일"), "month": gettext("1개월")}
    return words[period]


def choice(side: str) -> str:
    """`예` or `아니오`."""
    return gettext("예") if side == "yes" else gettext("아니오")


def coin_name(coin: Named) -> str:
    """The coin's name in the reader's language, the Korean one where there is no English one."""
    return coin.english_name or coin.korean_name if english() else coin.korean_name


def question(vote: Asked) -> str:
    """The question of a vote: `비트코인, 1주일 뒤 5% 이상 오를까요?`."""
    words = {
        "coin": coin_name(vote),
        "duration": duration(vote.duration),
        "range": f"{vote.range_pct}%",
    }
    if vote.direction == "up":
        return gettext("%(coin)s, %(duration)s 뒤 %(range)s 이상 오를까요?", **words)
    return gettext("%(coin)s, %(duration)s 뒤 %(range)s 이상 내릴까요?", **words)


def hue(code: str) -> int:
    """Which of the six quiet tints a coin's badge has."""
    return sum(code.encode()) % 6 + 1


FILTERS: tuple[Callable[..., object], ...] = (
    accuracy, answers, at_minute, at_second, at_words, change_pct, choice, clock, coin_name, count,
    day, day_words, duration, hue, iso, krw, people, question, receipt_minute, receipt_time, recent,
    signed_count, signed_pct, signed_won, span, time_ago, time_left, tone, turnover, weekday,
    whole_turnover, won, won_exact,
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Give every formatter to the templates under its own name."""
    app.jinja_env.undefined = StrictUndefined
    for function in FILTERS:
        app.add_template_filter(_at_render_time(function), function.__name__)
    app.add_template_test(is_soon, "soon")
    app.jinja_env.globals["shares"] = shares


def _at_render_time(function: Callable[..., object]) -> Callable[..., object]:
    """Jinja works constants out once, while compiling, and so in one language for all readers."""

    @pass_context
    @wraps(function)
    def formatted(_context: object, *args: object) -> object:
        return function(*args)

    return formatted


@lru_cache(maxsize=4096)
def _span(minutes: int, _language: str) -> str:
    """`_language` is part of the key; the look-up asks for it itself."""
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = (
        (days, gettext("%(n)s일", n=days)),
        (hours, gettext("%(n)s시간", n=hours)),
        (rest, gettext("%(n)s분", n=rest)),
    )
    first = 0 if days else 1 if hours else 2
    return " ".join(text for amount, text in parts[first : first + 2] if amount)


def _cut(value: Decimal | int, digits: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)


def _grouped(value: Decimal) -> str:
    text = f"{value:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def _joined(date: str, time: str) -> str:
    return f"{date}, {time}" if english() else f"{date} {time}"
