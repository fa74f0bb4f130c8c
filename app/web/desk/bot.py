"""The bot's page: how it does, what it waits for, its log; start, stop, real money, the kill."""

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from app.clock import utcnow
from app.domain.errors import AppError, Conflict, InvalidInput
from app.domain.kst import log_stamp
from app.domain.runs import BotMode, BotState
from app.domain.trading import BotSettings, typed_settings
from app.i18n import gettext
from app.messages import run_line
from app.services import exchanges
from app.services.trading import bots, lines, views
from app.web.desk import words
from app.web.desk.curve import money_curve
from app.web.desk.files import as_file
from app.web.forms import Form
from app.web.sessions import me, require_sign_in
from app.web.votes.fragments import fragment
from app.wiring import live_trading

bp = Blueprint("bot", __name__, url_prefix="/desk/bot")
bp.before_request(require_sign_in)

#: More is in the file of the run.
LINES_SHOWN = 60
#: What names the bot's mode in an address.
_QUERY = {BotMode.PAPER: "", BotMode.LIVE: "?mode=live"}
#: Numbers a person may leave empty have no bounds of the browser's: the rules say what is wrong.
_NUMBER = {"inputmode": "decimal", "autocomplete": "off"}


class SettingsForm(Form):
    """All that decides what a bot does, as text: the rules read it, and refuse at the field."""

    plays = SelectField(
        _("전략"),
        choices=[
            SelectChoice("breakout", _("변동성 돌파")),
            SelectChoice("crossing", _("이동평균 교차")),
        ],
        validate_choice=False,
    )
    codes = StringField(_("코인"))
    capital = StringField(_("자금 (원)"), render_kw=_NUMBER)
    k = StringField(_("k (비우면 날마다 골라요)"), render_kw=_NUMBER)
    window = StringField(_("k를 고를 때 보는 날"), render_kw=_NUMBER)
    mean_days = StringField(_("이동평균 조건 (일)"), render_kw=_NUMBER)
    short = StringField(_("짧은 평균 (일)"), render_kw=_NUMBER)
    long = StringField(_("긴 평균 (일)"), render_kw=_NUMBER)
    stop_loss = StringField(_("손절 (퍼센트)"), render_kw=_NUMBER)
    share = StringField(_("코인 하나에 (자금의 퍼센트)"), render_kw=_NUMBER)
    per_order = StringField(_("주문 한 번에 (원)"), render_kw=_NUMBER)
    per_day = StringField(_("하루 매수 (원)"), render_kw=_NUMBER)
    daily_loss = StringField(_("하루 손실 (퍼센트)"), render_kw=_NUMBER)
    rest = StringField(_("팔고 나서 쉬기 (시간)"), render_kw=_NUMBER)

    def typed(self) -> dict[str, str]:
        """What was typed, by the names of the settings."""
        names = BotSettings().as_texts()
        return {name: self[name].data or "" for name in names}


class YesForm(Form):
    """The sentence that allows real money."""

    sentence = StringField(_("위 문장을 그대로 써 주세요"), render_kw={"autocomplete": "off"})


@bp.get("")
def show() -> str:
    """The bot of the mode that is asked for; paper unless live is."""
    drift = views.drift_of(user_id=me().id)
    return render_template("desk/bot.html", stages=_stages(), drift=drift, **_seen(_mode()))


@bp.get("/live")
def live() -> Response:
    """What changes by itself, for the script."""
    return fragment(render_template("desk/_bot_live.html", **_seen(_mode())))


@bp.get("/settings")
def ask_for_settings() -> str:
    """The form; a coin and a k may be proposed in the address."""
    mode = _mode()
    texts = bots.get_bot(user_id=me().id, mode=mode).settings.as_texts()
    texts |= {name: value[:200] for name, value in _proposed().items() if value}
    return _settings_page(SettingsForm(formdata=None, data=texts), mode)


@bp.post("/settings")
def save_settings() -> ResponseReturnValue:
    """Keep the settings; what can't be is said at its field."""
    form, mode = SettingsForm(), _mode()
    try:
        settings = typed_settings(form.typed())
        bots.save_settings(user_id=me().id, mode=mode, settings=settings, now=utcnow())
    except (InvalidInput, Conflict) as error:
        form.refuse(error)
        return _settings_page(form, mode), 422
    flash(gettext("설정을 저장했어요."), "success")
    return redirect(_page(mode), 303)


@bp.post("/start")
def start() -> ResponseReturnValue:
    """Let the bot run."""
    mode = _mode()
    bots.start_bot(user_id=me().id, mode=mode, live_trading=live_trading(), now=utcnow())
    flash(gettext("거래를 시작했어요."), "success")
    return redirect(_page(mode), 303)


@bp.post("/stop")
def stop() -> ResponseReturnValue:
    """Begin nothing new; what was bought stays."""
    mode = _mode()
    bots.stop_bot(user_id=me().id, mode=mode, now=utcnow())
    if bots.get_bot(user_id=me().id, mode=mode).state is BotState.STOPPING:
        flash(
            gettext("거래를 끝내요. 걸린 매수 주문은 취소하고, 산 코인은 그대로 둬요."), "success"
        )
    return redirect(_page(mode), 303)


@bp.post("/halt")
def halt() -> ResponseReturnValue:
    """The kill switch, for all bots of the person."""
    sells = request.form.get("sells") == "y"
    bots.halt_all(user_id=me().id, sells=sells, now=utcnow())
    flash(gettext("모두 멈췄어요. 새 주문은 나가지 않아요."), "success")
    return redirect(_page(_mode()), 303)


@bp.post("/lift")
def lift() -> ResponseReturnValue:
    """Let bots be started again."""
    bots.lift_halt(user_id=me().id, now=utcnow())
    flash(gettext("멈춤을 풀었어요. 거래는 직접 시작해 주세요."), "success")
    return redirect(_page(_mode()), 303)


@bp.get("/real")
def ask_for_yes() -> str:
    """What real money means, the accounts to choose from, and the sentence."""
    return _yes_page(YesForm(formdata=None))


@bp.post("/real/account")
def choose_account() -> ResponseReturnValue:
    """Choose the account that the live bot trades with."""
    wanted = request.form.get("account", type=int) or 0
    bots.choose_account(user_id=me().id, account_id=min(wanted, 2**62), now=utcnow())
    return redirect("/desk/bot/real", 303)


@bp.post("/real")
def say_yes() -> ResponseReturnValue:
    """The person's own yes to real money."""
    form = YesForm()
    try:
        bots.confirm_live(
            user_id=me().id, typed=form.sentence.data or "", sentence=_sentence(), now=utcnow()
        )
    except AppError as error:
        form.refuse(error)
        return _yes_page(form), 422
    flash(gettext("확인했어요. 시작하면 진짜 돈으로 거래해요."), "success")
    return redirect(_page(BotMode.LIVE), 303)


@bp.post("/real/no")
def take_yes_back() -> ResponseReturnValue:
    """Take the yes back."""
    bots.withdraw_yes(user_id=me().id, now=utcnow())
    flash(gettext("실거래 확인을 거뒀어요."), "success")
    return redirect(_page(BotMode.LIVE), 303)


@bp.get("/orders.csv")
def orders_csv() -> Response:
    """All orders of the bot, oldest first."""
    mode = _mode()
    return as_file(views.order_sheet(user_id=me().id, mode=mode), f"whaling-orders-{mode}.csv")


@bp.get("/runs/<int:run_id>/log.txt")
def run_log(run_id: int) -> Response:
    """All lines of a run, oldest first, in the form that the desk's first client reads."""
    told = lines.run_log(user_id=me().id, run_id=run_id)
    texts = (f"{log_stamp(one.at)} {run_line(one.code, one.params)}\n" for one in told)
    return as_file(texts, f"whaling-log-{run_id}.txt")


def _mode() -> BotMode:
    return BotMode.LIVE if request.args.get("mode") == "live" else BotMode.PAPER


def _page(mode: BotMode) -> str:
    return f"/desk/bot{_QUERY[mode]}"


def _proposed() -> dict[str, str]:
    return {"codes": request.args.get("coin", ""), "k": request.args.get("k", "")}


def _sentence() -> str:
    return gettext("진짜 돈으로 거래하는 데 동의합니다")


def _seen(mode: BotMode) -> dict[str, object]:
    """What the page shows of one bot and its script renews."""
    now = utcnow()
    bot = bots.get_bot(user_id=me().id, mode=mode)
    told = lines.list_lines(user_id=me().id, bot_id=bot.id or 0, most=LINES_SHOWN)
    curve = views.value_curve(bot=bot)
    return {
        "now": now,
        "bot": bot,
        "mode": mode.value,
        "query": _QUERY[mode],
        "targets": views.list_targets(bot=bot, now=now),
        "standing": views.standing_of(bot=bot, now=now),
        "chart": money_curve(curve) if len(curve) > 1 else None,
        "log": [(one, run_line(one.code, one.params)) for one in told],
        "runs": lines.list_runs(user_id=me().id, mode=mode),
    }


def _stages() -> list[tuple[str, str, str]]:
    """The three yeses: what is there, and what is missing."""
    yeses = bots.live_yeses(user_id=me().id, live_trading=live_trading())
    key = _chosen_key() if yeses.key else gettext("주문 권한이 확인된 열쇠를 골라 주세요")
    person = gettext("확인했어요") if yeses.person else gettext("문장을 직접 써 주세요")
    server = gettext("켜져 있어요") if yeses.server else gettext("운영자가 꺼 두었어요")
    return [
        (gettext("거래 권한이 있는 열쇠"), key, "done" if yeses.key else "todo"),
        (gettext("내 확인"), person, "done" if yeses.person else "todo"),
        (gettext("서버 설정"), server, "done" if yeses.server else "todo"),
    ]


def _chosen_key() -> str:
    """The account of the live bot, whose key is good."""
    bot = bots.get_bot(user_id=me().id, mode=BotMode.LIVE)
    account = exchanges.get_account(user_id=me().id, account_id=bot.account_id or 0, now=utcnow())
    name = words.exchange_name(account.exchange)
    return gettext("%(exchange)s %(last_four)s 확인됨", exchange=name, last_four=account.last_four)


def _settings_page(form: SettingsForm, mode: BotMode) -> str:
    return render_template(
        "desk/bot_settings.html", form=form, here=_page(mode), query=_QUERY[mode]
    )


def _yes_page(form: YesForm) -> str:
    accounts = exchanges.list_accounts(user_id=me().id, now=utcnow())
    return render_template(
        "desk/bot_real.html",
        form=form,
        accounts=accounts,
        bot=bots.get_bot(user_id=me().id, mode=BotMode.LIVE),
        stages=_stages(),
        sentence=_sentence(),
        words=words,
    )
