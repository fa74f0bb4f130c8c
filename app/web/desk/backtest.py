"""Backtests: the form, how far one is, its result, and files to take along."""

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from app.clock import utcnow
from app.domain.errors import AppError, InvalidInput, NotFound
from app.domain.trading import BacktestSettings, typed_backtest
from app.domain.trading.settings import Plays
from app.extensions import limiter
from app.services import market
from app.services.trading import backtests
from app.services.trading.backtests import BacktestView
from app.services.trading.results import BacktestCoin
from app.services.trading.sheets import k_sheet, trade_sheet
from app.web.desk import figures
from app.web.desk.files import as_file
from app.web.filters import coin_name
from app.web.forms import Form
from app.web.sessions import me, person_key, require_sign_in
from app.web.votes.fragments import fragment

bp = Blueprint("backtest", __name__, url_prefix="/desk/backtest")
bp.before_request(require_sign_in)

ASK_LIMIT = "10/minute;100/hour"
FILE_LIMIT = "30/minute"


PERIODS = (
    SelectChoice("90", _("최근 3개월")),
    SelectChoice("180", _("최근 6개월")),
    SelectChoice("365", _("최근 1년")),
    SelectChoice("1000", _("가진 만큼 모두")),
)
STRATEGIES = (
    SelectChoice(Plays.BREAKOUT.value, _("변동성 돌파")),
    SelectChoice(Plays.CROSSING.value, _("이동평균 교차")),
)


class BacktestForm(Form):
    """The settings as a person types them; the domain reads and checks them."""

    coin = SelectField(_("어떤 코인"), validate_choice=False)
    more = StringField(_("다른 코인도"))
    days = SelectField(_("기간"), validate_choice=False)
    fee = StringField(_("한 번 수수료"))
    slippage = StringField(_("미끄러짐"))
    plays = SelectField(_("전략"), choices=STRATEGIES, validate_choice=False)
    k_first = StringField(_("가장 작은 k"))
    k_last = StringField(_("가장 큰 k"))
    k_step = StringField(_("k 간격"))
    window = StringField(_("k를 고르는 날 수"))
    mean_days = StringField(_("이 평균 위에서만 사기 (날 수)"))
    stop_loss = StringField(_("손절"))
    short = StringField(_("짧은 평균 (날 수)"))
    long = StringField(_("긴 평균 (날 수)"))
    capital = StringField(_("시작하는 돈"))

    def settings(self) -> BacktestSettings:
        """What is asked; raises InvalidInput naming one of these fields."""
        typed = {name: str(value) for name, value in self.data.items() if value is not None}
        codes = f"{self.coin.data or ''} {self.more.data or ''}"
        return typed_backtest(typed | {"codes": codes})

    def refuse(self, error: AppError, field: str = "") -> None:
        """A refusal of the codes belongs to where they were typed."""
        if isinstance(error, InvalidInput) and error.field == "codes":
            place = "more" if (self.more.data or "").strip() else "coin"
            error = InvalidInput(place, error.code, **error.params)
        super().refuse(error, field)


@bp.get("")
def index() -> str:
    """The form, and one's own backtests."""
    return render_template("desk/backtests.html", **_common(_form(_wanted())))


@bp.post("")
@limiter.limit(ASK_LIMIT, key_func=person_key)
def ask() -> ResponseReturnValue:
    """Put a backtest into the queue and lead to its page."""
    form = _with_choices(BacktestForm())
    try:
        made = backtests.ask(user_id=me().id, settings=form.settings(), now=utcnow())
    except AppError as error:
        form.refuse(error)
        return render_template("desk/backtests.html", **_common(form)), 422
    return redirect(f"/desk/backtest/{made}", 303)


@bp.get("/<int:backtest_id>")
def show(backtest_id: int) -> str:
    """How far it is, or its result."""
    found = _own(backtest_id)
    common = _common(_form(found.row.settings)) | {"found": found, "row": found.row}
    if found.result is None:
        return render_template("desk/backtest_progress.html", **common)
    coins = found.result["coins"]
    chosen = _chosen(coins)
    detail = None
    if chosen["problem"] is None:
        coin = market.find_coin(chosen["code"], utcnow())
        name = coin_name(coin) if coin else chosen["code"]
        detail = figures.shown(
            chosen, found.row.settings, name, everything=request.args.get("trades") == "all"
        )
    return render_template(
        "desk/backtest.html", coins=coins, chosen=chosen, detail=detail, figures=figures, **common
    )


@bp.get("/<int:backtest_id>/progress")
def progress(backtest_id: int) -> Response:
    """The moving part of the page, for its script."""
    found = _own(backtest_id)
    return fragment(render_template("desk/_progress.html", found=found, row=found.row))


@bp.post("/<int:backtest_id>/cancel")
def cancel(backtest_id: int) -> ResponseReturnValue:
    """Have it end."""
    backtests.cancel(user_id=me().id, backtest_id=backtest_id, now=utcnow())
    return redirect(f"/desk/backtest/{backtest_id}", 303)


@bp.get("/<int:backtest_id>/trades.csv")
@limiter.limit(FILE_LIMIT, key_func=person_key)
def trades_file(backtest_id: int) -> Response:
    """Every trade of every coin, as a file for spreadsheets."""
    return as_file(trade_sheet(_coins(backtest_id)), f"whaling-backtest-{backtest_id}-trades.csv")


@bp.get("/<int:backtest_id>/k.csv")
@limiter.limit(FILE_LIMIT, key_func=person_key)
def k_file(backtest_id: int) -> Response:
    """Every k of every coin, as a file for spreadsheets."""
    return as_file(k_sheet(_coins(backtest_id)), f"whaling-backtest-{backtest_id}-k.csv")


def _own(backtest_id: int) -> BacktestView:
    return backtests.get_backtest(user_id=me().id, backtest_id=backtest_id)


def _coins(backtest_id: int) -> list[BacktestCoin]:
    found = _own(backtest_id)
    if found.result is None:
        raise NotFound
    return found.result["coins"]


def _chosen(coins: list[BacktestCoin]) -> BacktestCoin:
    """The coin whose figures are asked for, else the first that has any."""
    wanted = request.args.get("coin")
    by_code = {one["code"]: one for one in coins}
    usable = [one for one in coins if one["problem"] is None]
    return by_code.get(wanted or "") or (usable or coins)[0]


def _wanted() -> BacktestSettings:
    """The usual settings, for the coin that the address names."""
    coin = market.find_coin(request.args.get("coin", ""), utcnow())
    return BacktestSettings(codes=(coin.code,)) if coin else BacktestSettings()


def _form(settings: BacktestSettings) -> BacktestForm:
    texts = settings.as_texts()
    coin, *more = settings.codes
    form = BacktestForm(formdata=None, data=texts | {"coin": coin, "more": " ".join(more)})
    return _with_choices(form)


def _with_choices(form: BacktestForm) -> BacktestForm:
    """All coins that are traded, the most traded first, and whatever was chosen before."""
    active = [coin for coin in market.catalogue(utcnow()) if coin.is_active]
    coins = [SelectChoice(coin.code, f"{coin_name(coin)} ({coin.code})") for coin in active]
    for field, choices in ((form.coin, coins), (form.days, list(PERIODS))):
        is_new = field.data and field.data not in {one.value for one in choices}
        field.choices = [*choices, *([SelectChoice(field.data, field.data)] if is_new else [])]
    return form


def _common(form: BacktestForm) -> dict[str, object]:
    now = utcnow()
    return {
        "form": form,
        "rows": backtests.list_backtests(user_id=me().id),
        "names": figures.coin_names(market.catalogue(now)),
        "now": now,
    }
