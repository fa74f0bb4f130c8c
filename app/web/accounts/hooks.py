"""What Kakao tells us of its own accord: who disconnected, whose account isn't safe."""

import hmac
import logging

from flask import Blueprint, Response, abort, jsonify, request

from app.clock import utcnow
from app.domain.identities import AccountEvent, Change, KakaoRefused, KakaoUnavailable
from app.extensions import csrf, limiter
from app.services import identities
from app.wiring import kakao, kakao_app, kakao_or_none

log = logging.getLogger(__name__)

bp = Blueprint("kakao-hooks", __name__, url_prefix="/kakao")
csrf.exempt(bp)

#: More than Kakao sends from one address, and few enough that checking them is no burden.
EVENT_LIMIT = "300/minute"


@bp.route("/unlinked", methods=["GET", "POST"])
def unlinked() -> Response:
    """Somebody disconnected at Kakao. 200 for people we don't know too, as Kakao wants it."""
    app = kakao_app()
    if not app.admin_key or not app.app_id:
        abort(404)
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"KakaoAK {app.admin_key}".encode()):
        abort(401)
    if request.values.get("app_id") != app.app_id:
        abort(400)
    subject, now = request.values.get("user_id", "")[:64], utcnow()
    done = identities.hear(event=AccountEvent(subject, Change.UNLINKED, now), now=now)
    log.info("kakao_unlinked known=%s why=%.40r", done, request.values.get("referrer_type"))
    return Response(status=200)


@bp.post("/events")
@limiter.limit(EVENT_LIMIT)
def events() -> Response:
    """A signed message about an account: 202 once it is dealt with, 400 when it isn't genuine."""
    if kakao_or_none() is None:
        abort(404)
    now = utcnow()
    try:
        event = kakao().event(request.get_data(as_text=True), now=now)
    except KakaoRefused as error:
        return _not_taken(str(error.params["reason"]))
    except KakaoUnavailable:
        abort(503)  # its keys can't be had; Kakao sends the message again
    done = identities.hear(event=event, now=now)
    log.info("kakao_event change=%s acted=%s", event.change, done)
    return Response(status=202)


def _not_taken(reason: str) -> Response:
    """As RFC 8935 words a refusal."""
    log.warning("kakao_event refused: %s", reason)
    response = jsonify(err="invalid_request", description=reason)
    response.status_code = 400
    return response
