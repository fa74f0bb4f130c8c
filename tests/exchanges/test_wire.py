"""JSON comes in exactly, and a bad number spoils nothing but its own row."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.money import BadPrice
from app.exchanges.base import Unavailable
from app.exchanges.wire import (
    BadField,
    decode,
    decode_list,
    decode_rows,
    read_amount,
    read_amount_or_none,
    read_figure,
    read_instant,
    read_minute,
    read_price,
    read_text,
    read_time,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("162876000.00000000", "162876000"),
        ("137728155832.9616000000000000000", "137728155832.9616"),
        ("22376000", "22376000"),
        ("109165000.0", "109165000"),
        ("1.3E-7", "0.00000013"),
        ("5.485e-05", "0.00005485"),
        ("0E-8", "0"),
    ],
)
def test_numbers_keep_every_digit(written: str, meant: str) -> None:
    assert Decimal(decode_list(f"[{written}]")[0]) == Decimal(meant)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written", ["NaN", "Infinity", "-Infinity", "1e99999999999999999999", "9" * 9000, "0", "-1.5"]
)
def test_number_that_is_no_price_spoils_its_own_row_alone(written: str) -> None:
    first, second = decode_list(f'[{{"p": {written}}}, {{"p": 7.0}}]')

    with pytest.raises(BadPrice):
        read_price(first, "p")  # type: ignore[arg-type]
    assert read_price(second, "p") == 7  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "[", "[1", "[1,]", "[1] x", "null", "1", '"a"', '{"error":{"name":400}}'),
        *("<html></html>", "[" * 100_000, '[{"a":' * 50_000, "[01]", "[1e]", '["\x00"]'),
    ],
)
def test_text_that_holds_no_list_is_unavailable(text: str) -> None:
    with pytest.raises(Unavailable):
        decode_list(text)


@given(st.lists(values), st.sampled_from(["", " ", "\n\t "]))
def test_each_row_comes_with_its_own_text(rows: list[object], space: str) -> None:
    written = [json.dumps(row) for row in rows]
    text = f"{space}[{space}" + f"{space},{space}".join(written) + f"{space}]{space}"

    assert decode_rows(text) == list(zip(rows, written, strict=True))


def test_text_of_a_row_keeps_the_digits_as_sent() -> None:
    (_, raw), _ = decode_rows('[{"p":1.50000000 }, {"p":0E-8}]')

    assert raw == '{"p":1.50000000 }'


@given(st.text() | st.text("a \n\u200b\x00\u3000", max_size=40))
@example("\x00 \x00")
def test_name_is_one_line_that_any_database_takes(name: str) -> None:
    try:
        found = read_text({"n": name}, "n", 20)
    except BadField:
        return

    assert 0 < len(found.encode()) <= 80
    assert found.isprintable()


@pytest.mark.parametrize("name", ["", "  ", "\n", "\u200b", "\ud800", None, 5, ["a"]])
def test_name_of_nothing_is_refused(name: object) -> None:
    with pytest.raises(BadField):
        read_text({"n": name}, "n", 20)


@pytest.mark.parametrize("value", ["5", None, "NaN"])
def test_price_in_quotes_or_missing_is_refused(value: object) -> None:
    with pytest.raises(BadField):
        read_price({"p": value}, "p")


@pytest.mark.parametrize("value", [1669012466994, Decimal("1669012466994.0")])
def test_instant_is_exact_to_the_millisecond(value: object) -> None:
    moment = read_instant({"t": value}, "t")

    assert moment == datetime(2022, 11, 21, 6, 34, 26, 994_000, UTC)


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, 1669012466, 10**13, 10**20, 10**400, True, "1669012466994", None, [1]),
        *(Decimal("NaN"), Decimal("1e999"), Decimal("1669012466994.5"), Decimal("Infinity")),
    ],
)
def test_instant_out_of_all_time_is_refused(value: object) -> None:
    with pytest.raises(BadField):
        read_instant({"t": value}, "t")


def test_minute_is_read_as_utc() -> None:
    assert read_minute({"t": "2021-01-30T13:47:00"}, "t") == datetime(
        2021, 1, 30, 13, 47, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "value",
    [
        *("2021-01-30T13:47:01", "2021-01-30T13:47", "2021-02-30T13:47:00", "1970-01-01T00:00:00"),
        *("2021-01-30T13:47:00Z", "2021-01-30T13:47:00\n", "٢٠٢١-01-30T13:47:00", "", None, 5),
    ],
)
def test_minute_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(BadField):
        read_minute({"t": value}, "t")


@pytest.mark.parametrize(
    ("value", "figure"),
    [
        *((Decimal("-0.0042492918"), -0.0042492918), (5, 5.0), (Decimal("0E-8"), 0.0)),
        *((Decimal("NaN"), None), (Decimal("1e999"), None), (10**400, None), ("5", None)),
        *((None, None), (True, None), ([], None)),
    ],
)
def test_figure_that_is_useless_is_none(value: object, figure: float | None) -> None:
    assert read_figure({"f": value}, "f") == figure


def test_whatever_is_json_is_decoded_exactly_and_nothing_else_is_quoted() -> None:
    assert decode('{"a": 1386929.37231066771348207123}') == {
        "a": Decimal("1386929.37231066771348207123")
    }
    with pytest.raises(Unavailable) as caught:
        decode('[{"access_key": "whisper')

    assert "whisper" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        *(("1000000.0", "1000000.0"), ("0", "0"), ("2.0", "2.0"), ("0E-8", "0E-8"), (5, "5")),
        *((Decimal("9E-05"), "0.00009"), ("1386929.37231066771348207123",) * 2),
        ("10329.670127489597585685", "10329.670127489597585685"),
    ],
)
def test_amount_is_kept_to_the_last_digit_in_every_notation(value: object, amount: str) -> None:
    assert read_amount({"a": value}, "a") == Decimal(amount)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "-1",
            "+1",
            "1_000",
            "1,000",
            " 1",
            "",
            "NaN",
            "Infinity",
            "1e99",
            "\u0661",
            None,
            True,
            [],
        ),
        *(Decimal("NaN"), Decimal(-1), Decimal("1E+20"), Decimal("1E-41"), "9" * 21, 1.5),
    ],
)
def test_amount_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(BadField):
        read_amount({"a": value}, "a")


def test_amount_may_be_missing_where_it_may() -> None:
    assert read_amount_or_none({}, "a") is None
    assert read_amount_or_none({"a": None}, "a") is None
    assert read_amount_or_none({"a": "0"}, "a") == 0


@pytest.mark.parametrize("text", ["2025-08-09T16:44:00+09:00", "2025-08-09T16:44:00"])
def test_time_is_korean_unless_it_says_otherwise(text: str) -> None:
    assert read_time({"t": text}, "t") == datetime(2025, 8, 9, 7, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["", "soon", None, 5, "0001-01-01T00:00:00", "1999-01-01T00:00:00Z"]
)
def test_time_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(BadField):
        read_time({"t": value}, "t")
