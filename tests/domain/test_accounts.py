"""Nicknames and passwords: what is refused, and when two names are one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.accounts import MAX_KEY, MAX_NICKNAME, check_password, nickname
from app.domain.errors import InvalidInput

ALICE = nickname("alice")


def refusal(text: str) -> str:
    """The code with which a nickname is refused."""
    with pytest.raises(InvalidInput) as refused:
        nickname(text)
    assert refused.value.field == "nickname"
    return refused.value.code


@pytest.mark.parametrize("text", ["a", "파도타는민지", "x" * 20, "a b", "🐳고래", "Zoë", "❤️"])
def test_nickname_is_kept_as_it_is_written(text: str) -> None:
    assert nickname(text).shown == text


def test_space_around_a_nickname_is_dropped() -> None:
    assert nickname("  alice \t").shown == "alice"


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000"])
def test_nickname_of_nothing_is_missing(text: str) -> None:
    assert refusal(text) == "nickname_missing"


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b", "a\nb", "a\u200bb", "\u202etxt", "\u3164", "ᅠ", "⠀", "a\u00a0b", "\ud800",
        "\ufe0f", "alice\ufe0f", "a \ufe0e", "가\U000e0100", "\u180b", "\U0001d159",
    ],
)  # fmt: skip
def test_nickname_of_unseen_characters_is_refused(text: str) -> None:
    assert refusal(text) == "nickname_unseen_characters"


def test_nickname_of_20_characters_fits_and_21_dont() -> None:
    assert nickname("가" * MAX_NICKNAME)
    assert refusal("가" * (MAX_NICKNAME + 1)) == "nickname_too_long"


def test_nickname_of_signs_that_stand_for_whole_phrases_is_too_long() -> None:
    assert nickname("ﷺ" * 4)
    assert refusal("ﷺ" * 5) == "nickname_too_long"


def test_decomposed_nickname_counts_as_it_is_seen() -> None:
    decomposed = unicodedata.normalize("NFD", "가" * MAX_NICKNAME)

    assert nickname(decomposed).shown == "가" * MAX_NICKNAME


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        ("ＡＬＩＣＥ", "alice"),
        ("straße", "STRASSE"),
        ("a  b", "a b"),
        ("ﬁn", "fin"),
    ],
)
def test_names_that_read_alike_are_one(one: str, other: str) -> None:
    assert nickname(one).key == nickname(other).key


@given(st.text(max_size=40))
def test_nickname_is_sound_or_refused(text: str) -> None:
    try:
        found = nickname(text)
    except InvalidInput:
        return

    assert 1 <= len(found.shown) <= MAX_NICKNAME
    assert found == nickname(found.shown)
    assert 1 <= len(found.key) <= MAX_KEY


@pytest.mark.parametrize("text", ["x" * 8, "x" * 128, "비밀번호여덟글자", "        "])
def test_password_of_8_to_128_characters_is_taken_as_it_is(text: str) -> None:
    assert check_password(text, ALICE, ()) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "password_too_short"),
        ("x" * 7, "password_too_short"),
        ("x" * 129, "password_too_long"),
    ],
)
def test_password_of_another_length_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(text, ALICE, ())

    assert (refused.value.field, refused.value.code) == ("password", code)


@pytest.mark.parametrize("text", ["mermaids", "MERMAIDS", " mermaids ", "ｍｅｒｍａｉｄｓ"])
def test_password_isnt_the_nickname(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(text, nickname("Mermaids"), ())

    assert refused.value.code == "password_is_nickname"


@pytest.mark.parametrize("text", ["sunshine", "SunShine"])
def test_password_that_too_many_choose_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_password(text, ALICE, {"sunshine"})

    assert (refused.value.field, refused.value.code) == ("password", "password_common")
    assert check_password(f"{text} today", ALICE, {"sunshine"})
