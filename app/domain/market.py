"""What the game knows of the market: listings, tickers, candles, and which of them to believe."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

#: A price observed longer ago than this starts no vote. Exactly this old still does.
FRESH_FOR = timedelta(seconds=90)
#: Prices observed longer ago than this are called stale, on pages and in the health report.
STALE_AFTER = timedelta(minutes=3)
#: Some KRW market trades every second, so a whole snapshot that lags by more is an old one. Nor may
#: a clock be further off, the exchange's or ours.
LARGEST_LAG = timedelta(seconds=30)
#: A source of prices that wasn't heard for longer than this is none.
FEED_FORGOTTEN_AFTER = timedelta(seconds=30)
#: A change by this factor between two observations is suspect.
_SUSPECT_FACTOR = 5
#: So many snapshots in a row must agree on a suspect price before it is believed …
_AGREEING = 3
#: … and they agree when they differ from the first of them by at most this share of it.
_AGREEMENT_PCT = 20
_FEW = 5


class FeedSource(StrEnum):
    """Where prices come from: pushed by the exchange, asked for again and again, or nowhere."""

    STREAM = "stream"
    POLLING = "polling"
    NONE = "none"


class CandleUnit(IntEnum):
    """The lengths of candles that we keep, in minutes; longer ones are put together from these."""

    MINUTE = 1
    HOUR = 60
    DAY = 1440

    @property
    def length(self) -> timedelta:
        """How long a candle lasts. Days begin at 00:00 UTC, which is 09:00 in Korea."""
        return timedelta(minutes=self.value)


@dataclass(frozen=True, slots=True)
class Listing:
    """One KRW market as the exchange lists it. `code` is the base (`BTC`), `market` the pair."""

    market: str
    code: str
    korean_name: str
    english_name: str
    warning: bool = False
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last trade of one market. Times are aware UTC; `price` and its kin are exact won.

    `traded_at` is the last trade, `stamped_at` the exchange's own time of the row. Turnover and the
    rate of change decide nothing, so they may be floats. `change_rate` is against `prev_close`.
    """

    market: str
    price: Decimal
    traded_at: datetime
    stamped_at: datetime
    prev_close: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    change_rate: float | None = None
    turnover_24h: float | None = None
    open: Decimal | None = None
    turnover_today: float | None = None
    high_52w: Decimal | None = None
    low_52w: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Believed:
    """The price that we hold of a coin: when it was traded, and when we last saw it confirmed."""

    price: Decimal
    traded_at: datetime
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle: `opened_at` is its start, `close` the last trade inside it.

    `raw` is the row as the exchange wrote it, where it serves as evidence; else it is empty.
    """

    market: str
    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    raw: str = ""
    volume: float = 0.0
    turnover: float = 0.0


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of the exchange's answer that could not be believed, and why (for the log)."""

    market: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """An answer of the exchange: the rows that hold, and those left out."""

    rows: tuple[T, ...]
    bad: tuple[BadRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspect:
    """A price held back: as first seen, and in how many snapshots in a row."""

    price: Decimal
    seen: int = 1


def newest_stamp(tickers: Iterable[Ticker], received_at: datetime) -> datetime | None:
    """The newest stamp of a snapshot, leaving out stamps from the future; None if none is left.

    One row stamped in the year 2199 must not make a whole old snapshot look new. A clock may be
    half a minute off.
    """
    latest = received_at + LARGEST_LAG
    return max((one.stamped_at for one in tickers if one.stamped_at <= latest), default=None)


def observed_at(newest: datetime, received_at: datetime) -> datetime:
    """When the exchange really saw the prices of a snapshot whose newest stamp is `newest`.

    The time of receipt, unless the newest stamp lags behind it by more than 30 s: an exchange that
    keeps serving old rows gives prices of their own age. Never later than `received_at`.
    """
    return newest if received_at - newest > LARGEST_LAG else received_at


def is_timely(stamped_at: datetime, now: datetime) -> bool:
    """Whether a stamp is of the present: at most half a minute off, behind or ahead."""
    return abs(now - stamped_at) <= LARGEST_LAG


def is_from_the_future(stamped_at: datetime, now: datetime) -> bool:
    """Whether a stamp is more than half a minute ahead of our clock."""
    return stamped_at > now + LARGEST_LAG


def age_s(moment: datetime, now: datetime) -> float | None:
    """How many seconds ago something was; None where it lies in the future, so nobody knows.

    Our clock was ahead then or is behind now. Half a minute ahead is as good as now.
    """
    return None if is_from_the_future(moment, now) else max(0.0, (now - moment).total_seconds())


def is_fresh(seen_at: datetime, now: datetime, within: timedelta = FRESH_FOR) -> bool:
    """Whether a price seen then is one of now: `within` ago it is, of unknown age it isn't."""
    age = age_s(seen_at, now)
    return age is not None and age <= within.total_seconds()


def overtakes(row: Ticker, held: Believed | None, seen_at: datetime) -> bool:
    """Whether what the exchange told as of `seen_at` takes the place of what we hold.

    A later trade does, an earlier one doesn't, whichever answer came first: the stream and the
    snapshots overtake each other. Of the same trade, or an earlier one at the same price, the later
    look counts. What nobody has confirmed for three minutes holds nothing back, or one wrong stamp
    would lock a coin.
    """
    if held is None or seen_at - held.observed_at > STALE_AFTER or row.traded_at > held.traded_at:
        return True
    same = row.traded_at == held.traded_at or row.price == held.price
    return same and seen_at >= held.observed_at


def is_plausible(previous: Decimal, new: Decimal) -> bool:
    """Whether a price may follow another: it changed by less than a factor of five, up or down."""
    return max(previous, new) < _SUSPECT_FACTOR * min(previous, new)


def judge(previous: Decimal | None, suspect: Suspect | None, new: Decimal) -> Suspect | None:
    """Whether to believe a price: None means yes; a Suspect means hold it back and keep that.

    A first price, and one plausible after the last believed (`previous`), is believed. Any other
    must come three snapshots in a row, within 20 % of the first of them (`suspect`, as kept last
    time), so that a slip of the exchange passes by and a redenomination isn't locked out for ever.
    """
    if previous is None or is_plausible(previous, new):
        return None
    if suspect is None or not _agrees(suspect.price, new):
        return Suspect(new)
    return None if suspect.seen + 1 >= _AGREEING else Suspect(suspect.price, suspect.seen + 1)


def _agrees(first: Decimal, new: Decimal) -> bool:
    return abs(new - first) * 100 <= first * _AGREEMENT_PCT


def is_mass_leap(*, held: int, judged: int) -> bool:
    """Whether so many prices leapt at once that it is the exchange that slipped, not the market.

    More than five, and more than a fifth of all. Such a snapshot confirms nothing, however often
    it is repeated: prices stay as they were and grow old, which everybody can see.
    """
    return held > _FEW and held * 5 > judged


def contradicts(candle_close: Decimal, sample_price: Decimal) -> bool:
    """Whether a candle and our own sample of its minute disagree by a factor of five or more."""
    return not is_plausible(candle_close, sample_price)


_CHOSEONG = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FIRST_SYLLABLE, _LAST_SYLLABLE, _SYLLABLES_PER_CHOSEONG = 0xAC00, 0xD7A3, 588
#: Korean keyboards join two consonants typed in a row into one sign …
_JOINED = "ㄳㄱㅅ ㄵㄴㅈ ㄶㄴㅎ ㄺㄹㄱ ㄻㄹㅁ ㄼㄹㅂ ㄽㄹㅅ ㄾㄹㅌ ㄿㄹㅍ ㅀㄹㅎ ㅄㅂㅅ"
#: … and some systems send a single one in its combining form.
_CHOSEONG_JAMO = 0x1100
_SINGLE_CONSONANTS = str.maketrans(
    {three[0]: three[1:] for three in _JOINED.split()}
    | {chr(_CHOSEONG_JAMO + place): sign for place, sign in enumerate(_CHOSEONG)}
)


def initials(name: str) -> str:
    """The first consonants (초성) of a Korean name, 비트코인 → ㅂㅌㅋㅇ; other signs stay."""
    return "".join(map(_initial, unicodedata.normalize("NFC", name)))


def _initial(sign: str) -> str:
    if not _FIRST_SYLLABLE <= ord(sign) <= _LAST_SYLLABLE:
        return sign
    return _CHOSEONG[(ord(sign) - _FIRST_SYLLABLE) // _SYLLABLES_PER_CHOSEONG]


def search_key(code: str, korean_name: str, english_name: str) -> str:
    """What `matches` looks in: code, names and 초성, folded, one per line."""
    return "\n".join(map(_folded, (code, korean_name, english_name, initials(korean_name))))


def matches(key: str, query: str) -> bool:
    """Whether `query` is part of code, names or 초성; case and spaces ignored, "" fits all."""
    return _folded(query) in key


def _folded(text: str) -> str:
    joined = unicodedata.normalize("NFC", "".join(text.split())).casefold()
    return unicodedata.normalize("NFC", joined).translate(_SINGLE_CONSONANTS)
