"""Who people are to each other: nicknames and passwords, and how they like their pages."""

import re
import unicodedata
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from app.domain.errors import AppError, Conflict, InvalidInput

MAX_NICKNAME = 20
#: What the column holds. Some signs stand for eighteen letters once they are normalised.
MAX_KEY = 80
MIN_PASSWORD = 8
MAX_PASSWORD = 128
#: Drawn as nothing, though no category says so: fillers, the Braille blank, a note without a head.
_BLANK_LOOKALIKES = frozenset("\U0001d159\U00016fe4ᅟᅠㅤﾠ⠀឴឵͏")
#: They choose how the symbol before them is drawn, say in colours; anywhere else they are nothing.
_VARIANTS = re.compile("[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


class Language(StrEnum):
    """What pages are written in."""

    KOREAN = "ko"
    ENGLISH = "en"


class Theme(StrEnum):
    """How pages are lit; SYSTEM does as the device does."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


_LOOKS: dict[str, type[StrEnum]] = {"language": Language, "theme": Theme}


class NicknameTaken(Conflict):
    """Somebody has this nickname, or one that differs only in case or form."""

    def __init__(self) -> None:
        super().__init__("nickname_taken")


class WrongCredentials(Conflict):
    """Nickname and password don't belong together; which of the two is wrong isn't told."""

    def __init__(self) -> None:
        super().__init__("wrong_credentials")


class BadToken(AppError):
    """The token proves nothing: forged, expired, revoked, of another kind or of nobody.

    Which of these it is isn't told.
    """

    code = "token_not_valid"


@dataclass(frozen=True, slots=True)
class Nickname:
    """A nickname as shown, and the key by which two are the same."""

    shown: str
    key: str


def nickname(text: str) -> Nickname:
    """Trim and normalise (NFC) a nickname of 1–20 characters, or raise InvalidInput.

    Control characters, invisible ones and letters that look like blanks are refused; single
    spaces inside are fine. Two nicknames are the same when they agree after compatibility
    normalisation and case folding.
    """
    shown = unicodedata.normalize("NFC", text).strip()
    if not shown:
        raise InvalidInput("nickname", "nickname_missing")
    if any(_is_unseen(char, before) for before, char in pairwise(f" {shown}")):
        raise InvalidInput("nickname", "nickname_unseen_characters")
    key = _key(shown)
    if len(shown) > MAX_NICKNAME or len(key) > MAX_KEY:
        raise InvalidInput("nickname", "nickname_too_long", limit=MAX_NICKNAME)
    return Nickname(shown, key)


def check_password(text: str, name: Nickname, common: Container[str]) -> str:
    """A password of 8–128 characters that isn't the nickname, or raise InvalidInput.

    Nor is it one of the `common` ones, which are in small letters; case makes none less common.
    """
    if len(text) < MIN_PASSWORD:
        raise InvalidInput("password", "password_too_short", limit=MIN_PASSWORD)
    if len(text) > MAX_PASSWORD:
        raise InvalidInput("password", "password_too_long", limit=MAX_PASSWORD)
    if _key(text.strip()) == name.key:
        raise InvalidInput("password", "password_is_nickname")
    if text.casefold() in common:
        raise InvalidInput("password", "password_common")
    return text


def check_look(wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """The choices of `language` and `theme` that are named; None takes one back.

    Raises InvalidInput `language_unknown` or `theme_unknown`.
    """
    for name, value in wanted.items():
        if value is not None and value not in set(_LOOKS[name]):
            raise InvalidInput(name, f"{name}_unknown")
    return dict(wanted)


def _key(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def _is_unseen(char: str, before: str) -> bool:
    if char == " ":
        return False
    if _VARIANTS.match(char):
        return not unicodedata.category(before).startswith("S")
    return unicodedata.category(char)[0] in "CZ" or char in _BLANK_LOOKALIKES
