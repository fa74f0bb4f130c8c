"""Who asks, and may they: the token of a request, checked as the exchanges check it."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from app.simulator.desk.account import Account
from app.simulator.desk.refused import Refused
from app.simulator.server import Request

DIGESTS = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}
#: How far a timestamp may be from the exchange's own clock.
SKEW = timedelta(seconds=30)
_MOST_NONCES = 100_000


def claims_of(
    request: Request, algorithms: frozenset[str], find: Callable[[str], Account]
) -> tuple[Account, Mapping[str, Any]]:
    """Whose token it is and what it claims; Refused unless that account's secret signed it."""
    kind, _, token = request.authorization.partition(" ")
    if kind != "Bearer" or not token:
        raise Refused(401, "no_authorization_token", "Please check Authorization Header")
    pieces = token.split(".")
    if len(pieces) != 3:
        raise Refused(401, "jwt_verification")
    head, claims = _unpacked(pieces[0]), _unpacked(pieces[1])
    algorithm = head.get("alg")
    if algorithm not in algorithms:
        raise Refused(401, "jwt_verification")
    account = find(str(claims.get("access_key")))
    _check_signature(account, algorithm, f"{pieces[0]}.{pieces[1]}", pieces[2])
    return account, claims


def check_use(account: Account, claims: Mapping[str, Any], request: Request) -> None:
    """Refused where the token was seen before, or is about another question."""
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise Refused(401, "jwt_verification")
    if nonce in account.nonces:
        raise Refused(401, "nonce_used")
    if len(account.nonces) >= _MOST_NONCES:
        account.nonces.clear()
    account.nonces.add(nonce)
    _check_hash(claims, request)


def check_time(claims: Mapping[str, Any], now: datetime) -> None:
    """Refused unless the token tells the time, in whole milliseconds and about right."""
    stamp = claims.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise Refused(401, "jwt_verification")
    if abs(now.timestamp() * 1000 - stamp) > SKEW.total_seconds() * 1000:
        raise Refused(401, "expired_jwt")


def _check_signature(account: Account, algorithm: str, signed: str, signature: str) -> None:
    raw = hmac.new(account.secret_key.encode(), signed.encode(), DIGESTS[algorithm]).digest()
    right = base64.urlsafe_b64encode(raw).rstrip(b"=")
    if not hmac.compare_digest(right, signature.encode()):
        raise Refused(401, "jwt_verification")


def _check_hash(claims: Mapping[str, Any], request: Request) -> None:
    asked = _flat(request.body) if request.body else unquote_plus(request.raw_query)
    if not asked:
        return
    right = hashlib.sha512(asked.encode()).hexdigest()
    if claims.get("query_hash") != right or claims.get("query_hash_alg") != "SHA512":
        raise Refused(401, "invalid_query_payload")


def _flat(body: bytes) -> str:
    """A JSON object as `k=v&k=v` in its order, numbers as they were written."""
    try:
        fields = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "validation_error") from error
    if not isinstance(fields, dict):
        raise Refused(400, "validation_error")
    parts = []
    for name, value in fields.items():
        if isinstance(value, list):
            parts += [f"{name}[]={each}" for each in value]
        else:
            parts.append(f"{name}={value}")
    return "&".join(parts)


def _unpacked(piece: str) -> Mapping[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))
    except (ValueError, RecursionError, binascii.Error) as error:
        raise Refused(401, "jwt_verification") from error
    if not isinstance(value, dict):
        raise Refused(401, "jwt_verification")
    return value
