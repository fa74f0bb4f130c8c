"""The tokens that Upbit and Bithumb want with every call about an account."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from joserfc import jws
from joserfc.jwk import OctKey

from app.domain.exchanges import KeyProblem, Keys
from app.exchanges.base import BadCredentials

HS256, HS512 = "HS256", "HS512"
Pairs = tuple[tuple[str, str], ...]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def pairs(params: Mapping[str, str | Sequence[str]]) -> Pairs:
    """Parameters one by one in their order; a list becomes `name[]` once for each of its values."""
    return tuple(
        (name if isinstance(value, str) else f"{name}[]", each)
        for name, value in params.items()
        for each in ([value] if isinstance(value, str) else value)
    )


def query_hash(sent: Iterable[tuple[str, str]]) -> str:
    """The SHA-512 of `k=v&k=v`, in the order sent and before any percent-encoding.

    A JSON body is hashed as if it were a query: the exchange never hashes its text.
    """
    text = "&".join(f"{name}={value}" for name, value in sent)
    return hashlib.sha512(text.encode()).hexdigest()


class Signer:
    """Signs calls with one person's keys. Every token has a nonce of its own and is good once.

    `clock` makes the token carry the time in whole milliseconds, as Bithumb wants it.
    """

    def __init__(
        self, keys: Keys, algorithm: str, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._keys = keys
        self._algorithm = algorithm
        self._clock = clock

    def headers(self, sent: Pairs) -> dict[str, str]:
        """The header that signs a call with these parameters.

        Raises BadCredentials for keys that can't sign anything.
        """
        if not (_can_sign(self._keys.access) and _can_sign(self._keys.secret)):
            raise BadCredentials(KeyProblem.INVALID, "no exchange makes such keys")
        return {"Authorization": f"Bearer {self._token(sent)}"}

    def _token(self, sent: Pairs) -> str:
        claims: dict[str, str | int] = {"access_key": self._keys.access, "nonce": str(uuid.uuid4())}
        if self._clock is not None:
            claims["timestamp"] = (self._clock() - _EPOCH) // _MILLISECOND
        if sent:
            claims |= {"query_hash": query_hash(sent), "query_hash_alg": "SHA512"}
        # Made directly: the secrets are texts of 40 characters, and importing one would be warned
        # about for its length, or refused should it look like another kind of key.
        raw = self._keys.secret.encode()
        return jws.serialize_compact(
            {"typ": "JWT", "alg": self._algorithm},
            json.dumps(claims).encode(),
            OctKey(raw, raw),
            algorithms=[self._algorithm],
        )


def _can_sign(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()
