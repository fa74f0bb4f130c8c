"""Keys at rest: sealed with the server's own keys, opened only to call the exchange."""

import hmac
import json
import logging
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import select, update

from app.db import transaction
from app.domain.exchanges import ExchangeName, Keys
from app.models import LinkedAccount

log = logging.getLogger(__name__)


class SealBroken(Exception):
    """What was sealed can't be opened: by another server, with a lost key, or it was changed."""


class Sealer:
    """Seals and opens; the first key seals, all open, so that keys can be changed in peace."""

    def __init__(self, keys: Sequence[str], fingerprint_key: bytes) -> None:
        self._cipher = MultiFernet([Fernet(key) for key in keys])
        self._fingerprint_key = fingerprint_key

    def seal(self, keys: Keys) -> str:
        """Text that only this server can open."""
        inside = json.dumps([keys.access, keys.secret]).encode()
        return self._cipher.encrypt(inside).decode()

    def open(self, sealed: str) -> Keys:
        """The keys inside, or SealBroken."""
        try:
            access, secret = json.loads(self._cipher.decrypt(sealed.encode()))
        except InvalidToken:
            raise SealBroken from None  # the cause holds what was sealed
        return Keys(access, secret)

    def renew(self, sealed: str) -> str:
        """The same, sealed with the newest key; SealBroken as `open`."""
        try:
            return self._cipher.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken from None

    def fingerprint(self, exchange: ExchangeName, keys: Keys) -> str:
        """By which a linked key is found again; nobody can tell the key from it."""
        text = f"{exchange}\n{keys.access}".encode(errors="surrogatepass")
        return hmac.digest(self._fingerprint_key, text, "sha256").hex()


def renew_seals(*, sealer: Sealer) -> tuple[int, int]:
    """Seal all linked keys with the newest key, in one transaction; (renewed, unreadable).

    What can't be opened stays as it is, so that a key put back can still open it. Safe to repeat
    and to kill: until the end the old seals stand, and the old key opens both.
    """
    renewed = unreadable = 0
    with transaction() as session:
        linked = select(LinkedAccount.id, LinkedAccount.sealed_keys).where(
            LinkedAccount.sealed_keys.is_not(None)
        )
        for ident, sealed in session.execute(linked).all():
            try:
                fresh = sealer.renew(str(sealed))
            except SealBroken:
                log.warning("seal_broken account=%d", ident)
                unreadable += 1
                continue
            session.execute(
                update(LinkedAccount).where(LinkedAccount.id == ident).values(sealed_keys=fresh)
            )
            renewed += 1
    return renewed, unreadable
