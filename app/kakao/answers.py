"""What Kakao answers: one JSON object or an error of ours, and the profile within."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from app.domain.identities import KakaoRefused, KakaoUnavailable, Profile
from app.exchanges.http import Reply

log = logging.getLogger(__name__)


def unavailable(path: str, why: object) -> KakaoUnavailable:
    """The error for an answer that can't be used; the log says why."""
    log.warning("kakao_unavailable path=%s: %s", path, why)
    return KakaoUnavailable()


def document(reply: Reply) -> dict[str, Any]:
    """The JSON object of an answer. Anything else, and any 5xx, is no answer at all."""
    if reply.status >= 500 or reply.is_html:
        raise unavailable("answer", f"HTTP {reply.status} {reply.content_type[:60]!r}")
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise unavailable("answer", "not JSON") from error
    if not isinstance(found, dict):
        raise unavailable("answer", "not an object")
    return found


def reason(answer: Mapping[str, Any]) -> str:
    """Kakao's own code for a refusal: `KOE320` of its sign-in, `-401` of its API."""
    code = answer.get("error_code") or answer.get("code") or answer.get("error")
    log.warning("kakao_refused code=%.40s", code)
    return str(code)[:40] if isinstance(code, str | int) else "unknown"


def text(answer: Mapping[str, Any], name: str) -> str:
    """A text that must be there, else KakaoUnavailable."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise unavailable("answer", f"without {name}")
    return value


def number(answer: Mapping[str, Any]) -> str:
    """The person's number at Kakao, as text; KakaoUnavailable where there is none."""
    value = answer.get("id")
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise unavailable("answer", "without a person's number")
    return str(value)


def shown(answer: Mapping[str, Any]) -> Profile:
    """A profile out of the user's page; every part of it may be missing, or of a strange kind."""
    profile = _part(_part(answer, "kakao_account"), "profile")
    older = _part(answer, "properties")
    picture = profile.get("profile_image_url") or older.get("profile_image")
    default = profile.get("is_default_image")
    nickname = profile.get("nickname") or older.get("nickname")
    return _cleaned(number(answer), nickname, picture, default is True or not picture)


def claimed(claims: Mapping[str, Any]) -> Profile:
    """A profile out of an id token's claims; KakaoRefused where its number is none."""
    subject, picture = str(claims["sub"]), claims.get("picture")
    if not subject.isdecimal() or len(subject) > 32:
        raise KakaoRefused("id_token_sub")
    return _cleaned(subject, claims.get("nickname"), picture, not picture)


def _cleaned(subject: str, nickname: object, picture: object, default: bool) -> Profile:
    url = picture if isinstance(picture, str) and len(picture) <= 500 else None
    return Profile(
        subject=subject,
        nickname=nickname[:40] if isinstance(nickname, str) else None,
        picture_url=url,
        is_default_picture=default or url is None,
    )


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}
