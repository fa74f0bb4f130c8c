"""Formatting: figures, times and words, in both languages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web import filters
from tests.web.conftest import NOW, Speaking


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("146918000", "146,918,000"),
        ("1000", "1,000"),
        ("999.96", "1,000"),
        ("1234.5", "1,235"),
        ("312.4", "312.4"),
        ("312.00", "312"),
        ("12.345", "12.35"),
        ("1", "1"),
        ("0.0123", "0.0123"),
        ("0.01184", "0.01184"),
        ("1E-8", "0.00000001"),
        ("1.2E+5", "120,000"),
        ("-6.9", "−6.9"),
    ],
)
def test_won_has_as_many_decimals_as_its_size_asks_for(price: str, shown: str) -> None:
    assert filters.won(Decimal(price)) == shown


def test_won_exact_keeps_every_digit() -> None:
    assert filters.won_exact(Decimal("149467500.12345678")) == "149,467,500.12345678"
    assert filters.won_exact(Decimal("1E-8")) == "0.00000001"
    assert filters.won_exact(Decimal("100.500")) == "100.5"


def test_price_carries_its_unit_in_the_language_of_the_reader(speaking: Speaking) -> None:
    with speaking("ko"):
        assert filters.krw(Decimal("312.44")) == "312.4원"
    with speaking("en"):
        assert filters.krw(Decimal("312.44"), exact=True) == "312.44 KRW"


def test_turnover_is_rough(speaking: Speaking) -> None:
    with speaking("ko"):
        assert filters.turnover(412_800_000_000.0) == "4,128억"
    with speaking("en"):
        assert filters.turnover(412_800_000_000.0) == "₩412.8B"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (3_241_849_000_000.0, "3조 2,418억원"),
        (5_000_000_000_000.0, "5조원"),
        (41_200_000_000.0, "412억원"),
        (0, "0억원"),
    ],
)
def test_turnover_of_the_whole_market_has_two_units(
    speaking: Speaking, amount: float, shown: str
) -> None:
    with speaking("ko"):
        assert filters.whole_turnover(amount) == shown
    with speaking("en"):
        assert filters.whole_turnover(amount) == filters.turnover(amount)


@pytest.mark.parametrize(
    ("change", "shown"), [("2654000", "+2,654,000"), ("-0.00066", "−0.00066"), ("0", "0")]
)
def test_change_of_a_price_has_its_sign(change: str, shown: str) -> None:
    assert filters.signed_won(Decimal(change)) == shown


@pytest.mark.parametrize(
    ("change", "shown", "tone"),
    [
        ("3.21", "+3.21%", "up"),
        ("-1.36", "−1.36%", "down"),
        ("0", "0.00%", "flat"),
        ("0.004", "0.00%", "flat"),
        ("-0.009", "0.00%", "flat"),
        ("4.999999", "+4.99%", "up"),
        ("-4.999999", "−4.99%", "down"),
        ("1234.5", "+1,234.50%", "up"),
    ],
)
def test_change_carries_its_sign_and_is_cut(change: str, shown: str, tone: str) -> None:
    assert (filters.signed_pct(Decimal(change)), filters.tone(Decimal(change))) == (shown, tone)


def test_change_is_measured_from_the_start() -> None:
    assert filters.change_pct(Decimal(100), Decimal(120)) == 20
    assert filters.change_pct(Decimal(100), Decimal(90)) == -10


def test_target_is_a_whole_percentage() -> None:
    assert filters.signed_pct(-5, 0) == "−5%"


def test_points_carry_their_sign() -> None:
    assert [filters.signed_count(n) for n in (1240, -10, 0)] == ["+1,240", "−10", "0"]


@given(yes=st.integers(0, 10**6), no=st.integers(0, 10**6))
def test_shares_make_a_hundred_and_never_hide_a_side(yes: int, no: int) -> None:
    left, right = filters.shares(yes, no)

    assert left + right == (100 if yes + no else 0)
    assert (left > 0, right > 0) == (yes > 0, no > 0)


def test_shares_have_one_decimal() -> None:
    assert filters.shares(216, 132) == (Decimal("62.1"), Decimal("37.9"))
    assert str(filters.shares(3, 0)[0]) == "100.0"
    assert filters.shares(999_999, 1) == (Decimal("99.9"), Decimal("0.1"))


@pytest.mark.parametrize(
    ("right", "settled", "shown"),
    [(0, 0, "0.00"), (26, 38, "68.42"), (7, 10, "70.00"), (6999, 9999, "69.99"), (1, 1, "100.00")],
)
def test_accuracy_is_cut_to_two_decimals(right: int, settled: int, shown: str) -> None:
    assert filters.accuracy(right, settled) == shown


def test_times_are_korean(speaking: Speaking) -> None:
    moment = datetime(2026, 11, 16, 15, 5, 9, tzinfo=UTC)

    with speaking("ko"):
        assert filters.at_second(moment) == "11.17 00:05:09"
        assert filters.at_minute(moment) == "11.17 00:05"
        assert filters.at_words(moment) == "11월 17일 00:05"
        assert filters.weekday(moment) == "11월 17일 화요일"
    with speaking("en"):
        assert filters.at_second(moment) == "17 Nov, 00:05:09"
        assert filters.at_words(moment) == "17 Nov, 00:05"
        assert filters.weekday(moment) == "Tuesday, 17 Nov"


def test_evidence_names_the_zone_and_machines_get_utc() -> None:
    moment = datetime(2026, 11, 20, 5, 5, 3, tzinfo=UTC)

    assert filters.receipt_time(moment) == "2026-11-20 14:05:03 KST"
    assert filters.receipt_minute(moment) == "2026-11-20 14:05 KST"
    assert filters.iso(moment) == "2026-11-20T05:05:03Z"
    assert filters.clock(moment) == "14:05:03"


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 11, 19, 15, 0, tzinfo=UTC), "오늘 00:00"),
        (datetime(2026, 11, 19, 14, 59, tzinfo=UTC), "어제 23:59"),
        (datetime(2026, 11, 18, 11, 3, tzinfo=UTC), "11.18 20:03"),
        (datetime(2025, 11, 18, 11, 3, tzinfo=UTC), "2025-11-18 20:03"),
    ],
)
def test_recent_days_have_a_word(moment: datetime, shown: str) -> None:
    assert filters.recent(moment, NOW) == shown


@pytest.mark.parametrize(
    ("left", "korean", "english"),
    [
        (timedelta(hours=2, minutes=14, seconds=59), "2시간 14분 남음", "2 h 14 m left"),
        (timedelta(days=3, hours=8), "3일 8시간 남음", "3 d 8 h left"),
        (timedelta(days=3, minutes=8), "3일 남음", "3 d left"),
        (timedelta(hours=2), "2시간 남음", "2 h left"),
        (timedelta(minutes=1), "1분 남음", "1 m left"),
        (timedelta(seconds=59), "곧 마감해요", "Closing now"),
        (timedelta(0), "마감했어요", "Closed"),
        (timedelta(days=-2), "마감했어요", "Closed"),
    ],
)
def test_time_left_has_two_units(
    speaking: Speaking, left: timedelta, korean: str, english: str
) -> None:
    with speaking("ko"):
        assert filters.time_left(NOW + left, NOW) == korean
    with speaking("en"):
        assert filters.time_left(NOW + left, NOW) == english


def test_less_than_three_hours_is_soon() -> None:
    assert not filters.is_soon(NOW + timedelta(hours=3), NOW)
    assert filters.is_soon(NOW + timedelta(hours=3, seconds=-1), NOW)


@pytest.mark.usefixtures("korean")
def test_age_of_a_figure_is_told_in_seconds_at_first() -> None:
    assert filters.time_ago(NOW - timedelta(seconds=2), NOW) == "2초 전"
    assert filters.time_ago(NOW - timedelta(minutes=4, seconds=5), NOW) == "4분 전"
    assert filters.time_ago(NOW + timedelta(seconds=9), NOW) == "0초 전"


def test_question_reads_as_a_sentence(speaking: Speaking, make_view) -> None:
    rise = make_view(duration="week", range_pct=5)
    fall = make_view(direction="down", duration="month", range_pct=12)

    with speaking("ko"):
        assert filters.question(rise) == "비트코인, 1주일 뒤 5% 이상 오를까요?"
        assert filters.question(fall) == "비트코인, 1개월 뒤 12% 이상 내릴까요?"
    with speaking("en"):
        assert filters.question(rise) == "Will Bitcoin be 5% or more higher in 1 week?"
        assert filters.question(fall) == "Will Bitcoin be 12% or more lower in 1 month?"


def test_coin_without_an_english_name_keeps_its_korean_one(speaking: Speaking, make_view) -> None:
    with speaking("en"):
        assert filters.coin_name(make_view(english_name="")) == "비트코인"


def test_answers_are_counted_in_words(speaking: Speaking) -> None:
    with speaking("ko"):
        assert [filters.answers(1), filters.answers(1348)] == ["1명 참여", "1,348명 참여"]
        assert filters.people(7) == "7명"
    with speaking("en"):
        assert [filters.answers(1), filters.answers(1348)] == ["1 answer", "1,348 answers"]


def test_badge_keeps_its_tint() -> None:
    assert filters.hue("BTC") == filters.hue("BTC")
    assert {filters.hue(code) for code in ("BTC", "ETH", "XRP", "SOL", "DOGE")} <= set(range(1, 7))


def test_filter_on_a_constant_speaks_each_readers_language(bare_app, speaking: Speaking) -> None:
    template = bare_app.jinja_env.from_string("{{ 'week'|duration }}")

    with speaking("ko"):
        first = template.render()
    with speaking("en"):
        second = template.render()

    assert (first, second) == ("1주일", "1 week")
