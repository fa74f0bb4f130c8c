"""One's accounts at exchanges: what they hold, what their keys may do, linking and unlinking."""

from flask import Blueprint, Response, current_app, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from wtforms import PasswordField, StringField

from app.clock import utcnow
from app.domain.errors import Conflict, InvalidInput
from app.domain.exchanges import ExchangeName, KeyState
from app.domain.runs import BotMode
from app.extensions import limiter
from app.i18n import gettext
from app.services import exchanges
from app.services.exchanges import AccountView, Doors, Sealer, typed_keys
from app.services.trading import bots
from app.web.desk import words
from app.web.desk.samples import SAMPLES
from app.web.forms import Form, row_id
from app.web.sessions import me, person_key, require_sign_in
from app.web.votes.fragments import fragment
from app.wiring import broker, fingerprint_key, sealing_keys

bp = Blueprint("desk", __name__, url_prefix="/desk")
bp.before_request(require_sign_in)

#: Each try asks an exchange, which counts wrong keys against the address of this server.
KEY_LIMIT = "10/minute;40/hour"


class LinkForm(Form):
    """An exchange and the two halves of a key; the page never gives a half back."""

    exchange = StringField(_("거래소"))
    access_key = PasswordField(_("Access Key (접근 열쇠)"))
    secret_key = PasswordField(_("Secret Key (비밀 열쇠)"))

    def chosen(self) -> ExchangeName:
        """The exchange, or InvalidInput for none of ours."""
        try:
            return ExchangeName(self.exchange.data or "")
        except ValueError:
            raise InvalidInput("exchange", "exchange_unknown") from None


def doors() -> Doors:
    """The way to the exchanges with this server's keys."""
    return Doors(Sealer(sealing_keys(), fingerprint_key()), broker)


@bp.get("")
def show() -> str:
    """The accounts, and what the chosen one holds."""
    return render_template("desk/accounts.html", **_seen())


@bp.get("/live")
def live() -> Response:
    """The same figures anew, for the script."""
    return fragment(render_template("desk/_holdings.html", **_seen()))


@bp.get("/link")
def ask_for_keys() -> str:
    """The form for a key, and how to make one."""
    return _link_page(LinkForm(formdata=None, exchange=ExchangeName.UPBIT))


@bp.post("/link")
@limiter.limit(KEY_LIMIT, key_func=person_key)
def link() -> ResponseReturnValue:
    """Link an account, once its exchange has said that the key is good: up to ten seconds."""
    form = LinkForm()
    try:
        exchange = form.chosen()
        keys = typed_keys(access=form.access_key.data or "", secret=form.secret_key.data or "")
        ident = exchanges.link_account(
            user_id=me().id, exchange=exchange, keys=keys, doors=doors(), now=utcnow()
        )
    except (InvalidInput, Conflict) as error:
        form.refuse(error)
        return _link_page(form), 422
    name = words.exchange_name(exchange)
    flash(gettext("%(exchange)s 계좌를 연결했어요.", exchange=name), "success")
    return redirect(f"/desk?account={ident}", 303)


@bp.post("/accounts/<int:account_id>/check")
@limiter.limit(KEY_LIMIT, key_func=person_key)
def check(account_id: int) -> ResponseReturnValue:
    """Ask the exchange about a key anew."""
    account = _mine(account_id)
    exchanges.recheck(account_id=account.id, doors=doors(), now=utcnow())
    now_known = _mine(account_id)
    if words.shown_state(now_known) is KeyState.GOOD:
        flash(gettext("거래소가 열쇠를 확인해 줬어요."), "success")
    else:
        flash(words.problem(now_known, utcnow()), "warning")
    return redirect(f"/desk?account={account_id}", 303)


@bp.get("/accounts/<int:account_id>/unlink")
def ask_to_unlink(account_id: int) -> str:
    """What unlinking does, also to a bot that trades there, and the button that does it."""
    bot = bots.get_bot(user_id=me().id, mode=BotMode.LIVE)
    is_traded = bot.is_on and bot.account_id == account_id
    return render_template(
        "desk/unlink.html", account=_mine(account_id), is_traded=is_traded, words=words
    )


@bp.post("/accounts/<int:account_id>/unlink")
def unlink(account_id: int) -> ResponseReturnValue:
    """Forget an account's keys and balances."""
    account = _mine(account_id)
    exchanges.unlink_account(user_id=me().id, account_id=account.id, now=utcnow())
    name = words.exchange_name(account.exchange)
    flash(gettext("%(exchange)s 계좌의 연결을 끊고 열쇠를 지웠어요.", exchange=name), "success")
    return redirect("/desk", 303)


def _seen() -> dict[str, object]:
    """What the page shows: all accounts, and the one that is asked for or, else, the first."""
    now = utcnow()
    exchanges.note_look(user_id=me().id, now=now)
    accounts = exchanges.list_accounts(user_id=me().id, now=now)
    wanted = row_id("account")
    chosen = next((one for one in accounts if one.id == wanted), accounts[0] if accounts else None)
    return {
        "accounts": accounts,
        "account": chosen,
        "words": words,
        "samples": _samples(accounts),
        "now": now,
    }


def _mine(account_id: int) -> AccountView:
    return exchanges.get_account(user_id=me().id, account_id=account_id, now=utcnow())


def _samples(accounts: list[AccountView]) -> list[object]:
    """Keys of the demo that this person hasn't linked yet; nowhere else are there any."""
    if not current_app.config["WHALING_DEMO"]:
        return []
    linked = {(one.exchange, one.last_four) for one in accounts}
    return [one for one in SAMPLES if (one.exchange, one.access[-4:]) not in linked]


def _link_page(form: LinkForm) -> str:
    accounts = exchanges.list_accounts(user_id=me().id, now=utcnow())
    return render_template(
        "desk/link.html",
        form=form,
        words=words,
        samples=_samples(accounts),
        exchanges=list(ExchangeName),
    )
