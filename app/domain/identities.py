"""Who people are elsewhere: what Kakao says of a person, and what can be wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.errors import Conflict


class Provider(StrEnum):
    """Who vouches for a person."""

    KAKAO = "kakao"


class Change(StrEnum):
    """What a provider tells us of an account without being asked."""

    UNLINKED = "unlinked"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as Kakao vouches for one: the number always, the rest where they agreed."""

    subject: str
    nickname: str | None = None
    picture_url: str | None = None
    is_default_picture: bool = True


@dataclass(frozen=True, slots=True)
class CodeProof:
    """A code that Kakao gave to the browser, with what the sign-in was begun with."""

    code: str = field(repr=False)
    redirect_uri: str
    verifier: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class IdTokenProof:
    """A signed statement that a client got from Kakao; `nonce` where the client set one."""

    id_token: str = field(repr=False)
    nonce: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccessTokenProof:
    """A key to a Kakao account that a client holds; it may have been made for any app."""

    access_token: str = field(repr=False)


Proof = CodeProof | IdTokenProof | AccessTokenProof


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Kakao says that something happened to an account at a moment; None for what we don't use."""

    subject: str
    change: Change | None
    at: datetime


class KakaoUnavailable(Conflict):
    """Kakao didn't answer in time, or not in a way that can be used; later it may."""

    def __init__(self) -> None:
        super().__init__("kakao_unavailable")


class KakaoRefused(Conflict):
    """Kakao, or our own check of what it says, turned the proof down; `reason` names why."""

    def __init__(self, reason: str) -> None:
        super().__init__("kakao_refused", reason=reason)


class KakaoCancelled(Conflict):
    """The person said no on Kakao's page."""

    def __init__(self) -> None:
        super().__init__("kakao_cancelled")


class KakaoStateLost(Conflict):
    """Kakao's answer belongs to no sign-in that was begun here a short while ago."""

    def __init__(self) -> None:
        super().__init__("kakao_state_lost")


class IdentityTaken(Conflict):
    """The Kakao account belongs to another person here."""

    def __init__(self) -> None:
        super().__init__("kakao_taken")


class AlreadyLinked(Conflict):
    """This person has another Kakao account linked."""

    def __init__(self) -> None:
        super().__init__("kakao_already_linked")


class LastWayIn(Conflict):
    """Without it nobody could sign in to this account any more."""

    def __init__(self) -> None:
        super().__init__("last_way_in")
