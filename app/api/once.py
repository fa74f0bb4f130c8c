"""The Idempotency-Key header: ask twice, be charged once, be answered the same."""

import hashlib
import re
from collections.abc import Callable

from flask import Response, request

from app.api.body import canonical_body
from app.api.errors import refusal
from app.api.wire import text_answer
from app.clock import utcnow
from app.domain.errors import AppError, InvalidInput
from app.services import idempotency
from app.services.idempotency import MAX_KEY, Asked, Kept

HEADER = "Idempotency-Key"
_PRINTABLE = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY}}}")
#: Refusals that would be the same if asked again; a stale price or a spent key may pass later.
_LASTING = (400, 404)


def answer_once(
    *, user_id: int, keyed: Callable[[Asked], Kept], plain: Callable[[], Kept]
) -> Response:
    """Answer a deed: `plain` without the header, else `keyed`, whose answer is kept and repeated.

    A lasting refusal is kept too, so that the same request always gets the same answer.
    """
    asked = _asked(user_id)
    if asked is None:
        return _sent(plain())
    try:
        return _sent(keyed(asked))
    except AppError as error:
        response = refusal(error)
        if response.status_code in _LASTING:
            refused = Kept(response.status_code, response.get_data(as_text=True))
            idempotency.remember(asked=asked, answer=refused, now=utcnow())
        return response


def _asked(user_id: int) -> Asked | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not _PRINTABLE.fullmatch(key):
        raise InvalidInput("idempotency_key", "idempotency_key_invalid", limit=MAX_KEY)
    what = f"{request.method} {request.path.rstrip('/')}\n".encode()
    fingerprint = hashlib.sha256(what + canonical_body()).hexdigest()
    return Asked(user_id, key, fingerprint)


def _sent(kept: Kept) -> Response:
    return text_answer(kept.body, kept.status)
