"""The settings: nickname, password, and the ways out."""

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from app.clock import utcnow
from app.domain.accounts import NicknameTaken
from app.domain.errors import Conflict, InvalidInput
from app.extensions import limiter
from app.i18n import gettext
from app.services import accounts, identities, tokens
from app.web.accounts.devices import device_words
from app.web.accounts.entry import SIGN_IN_LIMIT
from app.web.accounts.forms import FirstPasswordForm, NicknameForm, PasswordForm
from app.web.preferences import THEMES
from app.web.sessions import me, person_key, require_sign_in, sign_in, sign_out

#: What is offered as a file for spreadsheets, and how it is called.
_EXPORTED = {
    "ledger": _("고래밥 장부"),
    "favourites": _("관심 코인"),
    "answers": _("내 답변"),
    "votes": _("내 질문"),
    "account": _("계정"),
    "sign_ins": _("로그인 연결"),
    "sessions": _("로그인한 기기"),
    "exchanges": _("거래소 계좌"),
    "bots": _("자동 거래"),
    "orders": _("자동 거래 주문"),
    "backtests": _("백테스트"),
}

bp = Blueprint("settings", __name__, url_prefix="/me/settings")
bp.before_request(require_sign_in)


@bp.get("")
def show() -> str:
    """All settings on one page."""
    return _page()


@bp.get("/nickname")
@bp.get("/password")
def lead_back() -> ResponseReturnValue:
    """A refused form shows the page at these addresses, and there the language may be changed."""
    return redirect("/me/settings", 303)


@bp.post("/nickname")
def rename() -> ResponseReturnValue:
    """Take another nickname; the old one is free from then on."""
    form = NicknameForm()
    try:
        name = accounts.rename(user_id=me().id, name=form.nickname.data or "")
    except (InvalidInput, NicknameTaken) as error:
        form.refuse(error, "nickname")
        return _page(nickname_form=form), 422
    flash(gettext("이제 %(name)s님이에요.", name=name), "success")
    return redirect("/me/settings", 303)


@bp.post("/password")
@limiter.limit(SIGN_IN_LIMIT, key_func=person_key)
def change_password() -> ResponseReturnValue:
    """Set a new password: every other session ends, this one goes on."""
    form = PasswordForm()
    try:
        user = accounts.change_password(
            user_id=me().id, old=form.old_password.data or "", new=form.chosen_password()
        )
    except InvalidInput as error:
        form.refuse(error)
        return _page(password_form=form), 422
    remembered = current_app.config["REMEMBER_COOKIE_NAME"] in request.cookies
    sign_in(user.id, user.session_epoch, remember=remembered)
    flash(gettext("비밀번호를 바꿨어요. 다른 기기에서는 로그아웃됐어요."), "success")
    return redirect("/me/settings", 303)


@bp.post("/first-password")
@limiter.limit(SIGN_IN_LIMIT, key_func=person_key)
def set_first_password() -> ResponseReturnValue:
    """Give an account that knows Kakao alone a password, as another way in."""
    if identities.ways_in(user_id=me().id).has_password:
        raise Conflict("password_exists")
    form = FirstPasswordForm()
    try:
        accounts.set_first_password(user_id=me().id, new=form.chosen_password())
    except InvalidInput as error:
        form.refuse(error)
        return _page(password_form=form), 422
    flash(gettext("비밀번호를 만들었어요. 이제 닉네임으로도 로그인할 수 있어요."), "success")
    return redirect("/me/settings", 303)


@bp.post("/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session, this one included."""
    accounts.sign_out_everywhere(user_id=me().id)
    sign_out()
    flash(gettext("모든 기기에서 로그아웃했어요."), "success")
    return redirect("/login", 303)


def _page(
    nickname_form: NicknameForm | None = None,
    password_form: PasswordForm | FirstPasswordForm | None = None,
) -> str:
    """The page with the form that was refused, and the other one fresh."""
    ways = identities.ways_in(user_id=me().id)
    fresh = PasswordForm if ways.has_password else FirstPasswordForm
    return render_template(
        "accounts/settings.html",
        nickname_form=nickname_form or NicknameForm(formdata=None, nickname=me().nickname),
        password_form=password_form or fresh(formdata=None),
        ways=ways,
        devices=tokens.list_sessions(user_id=me().id, now=utcnow()),
        device_words=device_words,
        kinds=_EXPORTED,
        themes=THEMES,
    )
