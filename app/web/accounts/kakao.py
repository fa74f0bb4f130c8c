"""Signing in with Kakao: away to its page and back, the first name, linking and unlinking."""

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from app.clock import utcnow
from app.domain.accounts import NicknameTaken
from app.domain.errors import AppError, InvalidInput
from app.domain.identities import CodeProof, KakaoCancelled, KakaoRefused, KakaoStateLost
from app.domain.points import WELCOME_POINTS
from app.extensions import limiter
from app.i18n import gettext
from app.messages import message
from app.services import accounts, identities
from app.web.accounts import handshakes
from app.web.accounts.entry import SIGN_IN_LIMIT, own_path
from app.web.accounts.forms import NicknameForm
from app.web.accounts.handshakes import Handshake
from app.web.sessions import me, require_sign_in, sign_in
from app.wiring import kakao, kakao_callback, kakao_or_none

bp = Blueprint("kakao", __name__)

SETTINGS = "/me/settings"
_LONGEST_CODE = 512


def init_app(app: Flask) -> None:
    """Let pages know whether there is a Kakao to offer."""
    app.jinja_env.globals["has_kakao"] = lambda: kakao_or_none() is not None


@bp.before_request
def _only_with_kakao() -> None:
    if kakao_or_none() is None:
        abort(404)


@bp.get("/login/kakao")
@limiter.limit(SIGN_IN_LIMIT)
def begin() -> ResponseReturnValue:
    """Away to Kakao's page, to come back signed in."""
    if current_user.is_authenticated:
        return redirect("/", 303)
    return _away(own_path(request.args.get("next", "")) or "/", None)


@bp.get("/me/settings/kakao")
@limiter.limit(SIGN_IN_LIMIT)
def begin_link() -> ResponseReturnValue:
    """Away to Kakao's page, to come back with it linked.

    A link with the form token in it: a form that ends at another host is stopped by our own policy.
    """
    refused = require_sign_in()
    if refused is not None:
        return refused
    try:
        validate_csrf(request.args.get("token", ""))
    except ValidationError:
        abort(400)
    return _away(SETTINGS, me().id)


@bp.get("/login/kakao/callback")
@limiter.limit(SIGN_IN_LIMIT)
def callback() -> ResponseReturnValue:
    """Back from Kakao. Nothing happens for an answer that wasn't asked for by this browser."""
    begun = handshakes.take(request.args.get("state", ""), now=utcnow())
    try:
        proof = _proof(begun)
        return _linked(begun, proof) if begun and begun.user_id else _entered(begun, proof)
    except AppError as error:
        kind = "info" if isinstance(error, KakaoCancelled) else "error"
        flash(message(error.code, error.params), kind)
        return redirect(_outside(begun), 303)


@bp.route("/welcome", methods=["GET", "POST"])
def welcome() -> ResponseReturnValue:
    """The first thing a new person does: choose a nickname, or keep the numbered one."""
    refused = require_sign_in()
    if refused is not None:
        return refused
    form = NicknameForm(nickname=session.get("suggested_name") or me().nickname)
    if not form.validate_on_submit():
        return render_template("accounts/welcome.html", form=form)
    try:
        accounts.rename(user_id=me().id, name=form.nickname.data or "")
    except (InvalidInput, NicknameTaken) as error:
        form.refuse(error, "nickname")
        return render_template("accounts/welcome.html", form=form), 422
    session.pop("suggested_name", None)
    return redirect("/tutorial", 303)


@bp.post("/me/settings/kakao/unlink")
def unlink() -> ResponseReturnValue:
    """Take Kakao away as a way in; the last one stays."""
    refused = require_sign_in()
    if refused is not None:
        return refused
    identities.unlink(kakao=kakao(), user_id=me().id)
    flash(gettext("카카오 연결을 끊었어요."), "success")
    return redirect(SETTINGS, 303)


def _away(wanted: str, user_id: int | None) -> ResponseReturnValue:
    begun = handshakes.begin(wanted=wanted, user_id=user_id, now=utcnow())
    return redirect(
        kakao().authorize_url(
            redirect_uri=kakao_callback(),
            state=begun.state,
            nonce=begun.nonce,
            verifier=begun.verifier,
        ),
        303,
    )


def _outside(begun: Handshake | None) -> str:
    """Where to go on after a sign-in that came to nothing."""
    if begun and begun.user_id:
        return SETTINGS
    return "/" if current_user.is_authenticated else "/login"


def _proof(begun: Handshake | None) -> CodeProof:
    """What Kakao's answer holds; raises the refusal that it is, or that we make of it."""
    if begun is None:
        raise KakaoStateLost
    error, code = request.args.get("error"), request.args.get("code", "")
    if error == "access_denied":
        raise KakaoCancelled
    if error or not code or len(code) > _LONGEST_CODE:
        raise KakaoRefused((error or "code_missing")[:40])
    return CodeProof(code, kakao_callback(), begun.verifier, begun.nonce)


def _entered(begun: Handshake | None, proof: CodeProof) -> ResponseReturnValue:
    entry = identities.enter(kakao=kakao(), proof=proof, now=utcnow())
    sign_in(entry.user_id, entry.epoch, remember=False)
    if not entry.is_new:
        return redirect(begun.wanted if begun else "/", 303)
    session["suggested_name"] = entry.suggested
    flash(gettext("반가워요! 고래밥 %(n)s개를 드렸어요.", n=WELCOME_POINTS), "success")
    return redirect("/welcome", 303)


def _linked(begun: Handshake, proof: CodeProof) -> ResponseReturnValue:
    """Only whom it was begun for, and only while they are still signed in here."""
    if not current_user.is_authenticated or me().id != begun.user_id:
        raise KakaoStateLost
    identities.link(kakao=kakao(), user_id=me().id, proof=proof, now=utcnow())
    flash(gettext("카카오를 연결했어요. 이제 카카오로도 로그인할 수 있어요."), "success")
    return redirect(SETTINGS, 303)
