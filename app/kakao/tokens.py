"""Kakao's signed words: the keys behind them, and whether they are meant for us."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from app.clock import monotonic
from app.domain.identities import AccountEvent, Change, KakaoRefused, KakaoUnavailable

log = logging.getLogger(__name__)

MAX_TOKEN = 8 * 1024
LEEWAY_S = 60
KEYS_GOOD_FOR_S = 24 * 3600.0
ASK_AGAIN_AFTER_S = 60.0
REST_AFTER_FAILURE_S = 5.0
_EVENTS = {
    "https://schemas.kakao.com/events/oauth/user-unlinked": Change.UNLINKED,
    "https://schemas.kakao.com/events/oauth/tokens-revoked": Change.UNSAFE,
    "https://schemas.openid.net/secevent/risc/event-type/account-disabled": Change.UNSAFE,
    "https://schemas.openid.net/secevent/risc/event-type/credential-compromise": Change.UNSAFE,
    "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked": Change.UNSAFE,
    "https://schemas.openid.net/secevent/caep/event-type/credential-change": Change.UNSAFE,
}


class Keys:
    """Kakao's public keys, fetched when first needed, daily, and when an unknown one turns up.

    An unknown key leads to a question at most once a minute: anybody can invent one. After a
    failure nobody waits for Kakao for some seconds, or inventors could keep every thread waiting.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]]) -> None:
        self._fetch = fetch
        self._keys: dict[str, RSAKey] = {}
        self._asked_at: float | None = None
        self._rests_until = 0.0
        self._lock = threading.Lock()

    def get(self, kid: object) -> RSAKey | None:
        """The key with this number, or None. Raises KakaoUnavailable."""
        with self._lock:  # one asks, the others wait for what it hears
            if self._age() > KEYS_GOOD_FOR_S:
                self._renew()
            if kid not in self._keys and self._age() > ASK_AGAIN_AFTER_S:
                self._renew()
            return self._keys.get(cast(str, kid))

    def _age(self) -> float:
        return float("inf") if self._asked_at is None else monotonic() - self._asked_at

    def _renew(self) -> None:
        if monotonic() < self._rests_until:
            raise KakaoUnavailable
        try:
            self._keys = self._read()
        except KakaoUnavailable:
            self._rests_until = monotonic() + REST_AFTER_FAILURE_S
            raise
        self._asked_at = monotonic()

    def _read(self) -> dict[str, RSAKey]:
        document = self._fetch()
        try:
            found = KeySet.import_key_set(cast(Any, document))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("kakao_keys unreadable: %r", error)
            raise KakaoUnavailable from error
        return {key.kid: key for key in found if key.kid and isinstance(key, RSAKey)}


def id_claims(
    token: str,
    *,
    keys: Keys,
    issuer: str,
    audiences: Collection[str],
    nonce: str | None,
    now: datetime,
) -> dict[str, Any]:
    """The claims of an id token made by Kakao, for one of our keys, still good at `now`.

    RS256 alone is believed. With a `nonce` the token must carry the same. Raises KakaoRefused.
    """
    header, claims = _signed(token, keys)
    if _kind(header) not in ("", "jwt"):
        raise KakaoRefused("id_token_type")
    options = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "values": [one for one in audiences if one]},
        "sub": {"essential": True},
    }
    checked = CodeIDToken(claims, header, options, {"nonce": nonce})
    try:
        checked.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
    except (JoseError, TypeError, ValueError) as error:
        raise KakaoRefused(f"id_token_{getattr(error, 'claim', None) or 'invalid'}") from error
    return dict(checked)


def account_event(
    token: str, *, keys: Keys, issuer: str, audience: str, now: datetime
) -> AccountEvent:
    """What a security event token says. It has no expiry; its time is when the thing happened.

    The account's number stands at the top or within the event. Raises KakaoRefused.
    """
    header, claims = _signed(token, keys)
    if _kind(header) != "secevent+jwt":
        raise KakaoRefused("event_type")
    if claims.get("iss") != issuer or audience not in _listed(claims.get("aud")):
        raise KakaoRefused("event_not_for_us")
    events = claims.get("events")
    if not isinstance(events, dict) or not events:
        raise KakaoRefused("event_missing")
    found = [_EVENTS.get(name) for name in events]
    change = Change.UNLINKED if Change.UNLINKED in found else next(filter(None, found), None)
    return AccountEvent(_subject(claims, events), change, _moment(claims, now))


def _signed(token: str, keys: Keys) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token whose signature is Kakao's."""
    if len(token) > MAX_TOKEN:
        raise KakaoRefused("token_too_long")
    try:
        header = jws.extract_compact(token.encode()).headers()
        key = keys.get(header.get("kid"))
        if key is None:
            raise KakaoRefused("token_key_unknown")
        found = jwt.decode(token, key, algorithms=["RS256"])
    except (JoseError, ValueError, TypeError) as error:
        raise KakaoRefused("token_invalid") from error
    return dict(found.header), dict(found.claims)


def _kind(header: Mapping[str, Any]) -> str:
    return str(header.get("typ", "")).lower().removeprefix("application/")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _subject(claims: Mapping[str, Any], events: Mapping[str, Any]) -> str:
    within = [event.get("subject") for event in events.values() if isinstance(event, dict)]
    places = [claims, claims.get("sub_id"), *within]
    for place in places:
        subject = place.get("sub") if isinstance(place, dict) else None
        if subject:
            return str(subject)[:64]
    raise KakaoRefused("event_subject")


def _moment(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When it happened, or when it was said; never in the future."""
    stamp = claims.get("toe", claims.get("iat"))
    if not isinstance(stamp, int) or not 0 < stamp <= now.timestamp():
        return now
    return datetime.fromtimestamp(stamp, UTC)
