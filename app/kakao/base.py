"""What somebody who vouches for people must offer us."""

from datetime import datetime
from typing import Protocol

from app.domain.identities import AccountEvent, Profile, Proof


class IdentityProvider(Protocol):
    """Kakao, or who plays it. Calls may raise KakaoUnavailable or KakaoRefused."""

    def prove(self, proof: Proof, *, now: datetime) -> Profile:
        """Whom a proof names, after every check; nothing a client says is believed."""

    def picture(self, url: str) -> bytes | None:
        """The picture at an address that Kakao gave, or None where there is none to be had."""

    def unlink(self, subject: str) -> None:
        """Tell Kakao that the person left; nothing where we have no key for it."""

    def event(self, token: str, *, now: datetime) -> AccountEvent:
        """What a signed message about an account says."""
