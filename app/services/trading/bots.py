"""What a person does with a bot: set it up, start, stop, say yes to real money, halt everything."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.exchanges import ExchangeName
from app.domain.runs import BotMode, BotState, LogKind
from app.domain.trading import BotSettings, Objection, Yeses, settings_from_json
from app.extensions import db
from app.models import Bot, BotRun, LinkedAccount, Position
from app.services.market import catalogue
from app.services.trading.books import add_money
from app.services.trading.checking import account_of, yeses_of
from app.services.trading.lines import add_line
from app.services.trading.runs import HALTED, close_run, has_pending, open_run, open_run_of
from app.services.trading.values import read_prices

_REST = (BotState.OFF, BotState.HALTED)
_NOES = {
    Objection.SERVER_SAYS_NO: "live_trading_off",
    Objection.PERSON_SAYS_NO: "live_not_confirmed",
    Objection.KEY_SAYS_NO: "live_key_not_good",
}


@dataclass(frozen=True, slots=True)
class BotFacts:
    """A bot as pages and clients see it; one that nobody set up yet has no id."""

    id: int | None
    mode: BotMode
    exchange: ExchangeName
    account_id: int | None
    state: BotState
    settings: BotSettings
    confirmed_at: datetime | None
    halted_at: datetime | None
    halt_sells: bool
    run_id: int | None
    run_started_at: datetime | None
    end_reason: str | None
    has_pending: bool

    @property
    def is_on(self) -> bool:
        """Whether it trades, or is still ending what it began."""
        return self.state in (BotState.RUNNING, BotState.STOPPING)


def get_bot(*, user_id: int, mode: BotMode) -> BotFacts:
    """The person's bot of this mode; the usual settings where there is none yet."""
    bot = _own(db.session(), user_id, mode)
    if bot is None:
        return BotFacts(
            None, mode, ExchangeName.UPBIT, None, BotState.OFF, BotSettings(), None, None,
            halt_sells=False, run_id=None, run_started_at=None, end_reason=None, has_pending=False,
        )  # fmt: skip
    run = db.session.scalar(
        select(BotRun).where(BotRun.bot_id == bot.id).order_by(BotRun.id.desc()).limit(1)
    )
    return BotFacts(
        id=bot.id,
        mode=bot.mode,
        exchange=bot.exchange,
        account_id=bot.account_id,
        state=bot.state,
        settings=settings_from_json(bot.settings),
        confirmed_at=bot.confirmed_at,
        halted_at=bot.halted_at,
        halt_sells=bot.halt_sells,
        run_id=run.id if run else None,
        run_started_at=run.started_at if run else None,
        end_reason=run.end_reason if run else None,
        has_pending=has_pending(db.session(), bot.id),
    )


def live_yeses(*, user_id: int, live_trading: bool) -> Yeses:
    """The yeses to real money of the person's live bot; before there is one, the server's alone."""
    session = db.session()
    bot = _own(session, user_id, BotMode.LIVE)
    found = None if bot is None else yeses_of(bot, account_of(session, bot), live_trading)
    return found or Yeses(server=live_trading, person=False, key=False)


def save_settings(*, user_id: int, mode: BotMode, settings: BotSettings, now: datetime) -> None:
    """Set a bot up, while it is off or halted.

    More or less capital is money that comes to its paper books or goes. Raises InvalidInput for
    coins that aren't listed, Conflict `bot_is_on`, or `capital_is_invested` where the books haven't
    got as much any more.
    """
    _check_listed(settings, now)
    with transaction() as session:
        bot = _own(session, user_id, mode) or _made(session, user_id, mode, now)
        if bot.state not in _REST:
            raise Conflict("bot_is_on")
        more = settings.capital - settings_from_json(bot.settings).capital
        if not add_money(session, bot_id=bot.id, won=more):
            raise Conflict("capital_is_invested")
        bot.settings, bot.updated_at = settings.to_json(), now


def choose_account(*, user_id: int, account_id: int, now: datetime) -> None:
    """Let the live bot trade with a linked account; its yes to real money is taken back.

    Raises NotFound for an account that isn't linked by this person, Conflict `bot_is_on`,
    `bot_not_settled`, or `bot_holds_coins` while it holds coins of another account.
    """
    with transaction() as session:
        account = session.get(LinkedAccount, account_id)
        if account is None or account.user_id != user_id or account.unlinked_at is not None:
            raise NotFound
        bot = _own(session, user_id, BotMode.LIVE)
        if bot is None:
            bot = _made(session, user_id, BotMode.LIVE, now, account)
        elif bot.account_id != account.id:
            _check_free_to_move(session, bot)
        bot.account_id, bot.exchange = account.id, account.exchange
        bot.confirmed_at, bot.updated_at = None, now


def confirm_live(*, user_id: int, typed: str, sentence: str, now: datetime) -> None:
    """The person's own yes to real money, typed out; it holds for the chosen account alone.

    Raises InvalidInput for any other sentence, NotFound where no account was chosen, Conflict
    `live_key_not_good` for a key that may not trade.
    """
    if " ".join(typed.split()).casefold() != sentence.casefold():
        raise InvalidInput("sentence", "sentence_differs")
    with transaction() as session:
        bot = _own(session, user_id, BotMode.LIVE)
        if bot is None:
            raise NotFound
        yeses = yeses_of(bot, account_of(session, bot), live_trading=True)
        if yeses is None or not yeses.key:
            raise Conflict("live_key_not_good")
        bot.confirmed_at, bot.updated_at = now, now


def withdraw_yes(*, user_id: int, now: datetime) -> None:
    """Take the yes to real money back; what runs with it sends nothing more."""
    with transaction() as session:
        session.execute(
            update(Bot)
            .where(Bot.user_id == user_id, Bot.mode == BotMode.LIVE)
            .values(confirmed_at=None, updated_at=now)
        )


def start_bot(*, user_id: int, mode: BotMode, live_trading: bool, now: datetime) -> None:
    """Let a bot run; one that runs already goes on.

    Raises Conflict `bot_halted`, `bot_is_stopping`, `bot_not_settled` while an order is in the air,
    or one of the codes for a yes that is missing; InvalidInput for coins no longer listed.
    """
    found = get_bot(user_id=user_id, mode=mode)
    _check_listed(found.settings, now)
    prices = read_prices(now)
    with transaction() as session:
        bot = _own(session, user_id, mode) or _made(session, user_id, mode, now)
        if bot.state is BotState.RUNNING:
            return
        if bot.state is not BotState.OFF:
            raise Conflict("bot_halted" if bot.state is BotState.HALTED else "bot_is_stopping")
        if has_pending(session, bot.id):
            raise Conflict("bot_not_settled")
        yeses = yeses_of(bot, account_of(session, bot), live_trading)
        missing = yeses.missing() if yeses is not None else None
        if missing is not None:
            raise Conflict(_NOES[missing])
        bot.state, bot.updated_at = BotState.RUNNING, now
        open_run(session, bot, prices, now)


def stop_bot(*, user_id: int, mode: BotMode, now: datetime) -> None:
    """Begin nothing new, end what is in the air, then rest; coins that were bought stay.

    Stopping what doesn't run is harmless.
    """
    with transaction() as session:
        bot = _own(session, user_id, mode)
        if bot is not None and bot.state is BotState.RUNNING:
            bot.state, bot.updated_at = BotState.STOPPING, now


def halt_all(*, user_id: int, sells: bool, now: datetime) -> int:
    """The kill switch: from this commit on no bot of the person enters; how many were halted.

    Asks nobody and needs no price. What is in the air is taken off next, and with `sells` all that
    the bots bought is sold. Again is harmless, and may add the sale.
    """
    with transaction() as session:
        bots = list(
            session.scalars(select(Bot).where(Bot.user_id == user_id).with_for_update()).all()
        )
        for bot in bots:
            run = _run_to_end(session, bot, now) if sells else open_run_of(session, bot.id)
            if run is not None and not (bot.state is BotState.HALTED and bot.halt_sells >= sells):
                add_line(
                    session, run_id=run.id, kind=LogKind.HALT, code="halted", now=now, sells=sells
                )
            bot.halted_at = bot.halted_at or now
            bot.state = BotState.HALTED
            bot.halt_sells = bot.halt_sells or sells
            bot.updated_at = now
    return len(bots)


def lift_halt(*, user_id: int, now: datetime) -> None:
    """Let halted bots be started again; they stay off.

    Raises Conflict `bot_not_settled` while an order is in the air.
    """
    with transaction() as session:
        halted = session.scalars(
            select(Bot).where(Bot.user_id == user_id, Bot.state == BotState.HALTED)
        ).all()
        for bot in halted:
            if has_pending(session, bot.id):
                raise Conflict("bot_not_settled")
            close_run(session, bot_id=bot.id, reason=HALTED, now=now)
            bot.state, bot.halted_at, bot.halt_sells = BotState.OFF, None, False
            bot.updated_at = now


def _own(session: Session, user_id: int, mode: BotMode) -> Bot | None:
    return session.scalar(
        select(Bot).where(Bot.user_id == user_id, Bot.mode == mode).with_for_update()
    )


def _made(
    session: Session,
    user_id: int,
    mode: BotMode,
    now: datetime,
    account: LinkedAccount | None = None,
) -> Bot:
    """A bot with the usual settings. A live one needs an account: Conflict `live_key_not_good`."""
    if mode.needs_yeses and account is None:
        raise Conflict("live_key_not_good")
    bot = Bot(
        user_id=user_id,
        mode=mode,
        exchange=account.exchange if account else ExchangeName.UPBIT,
        account_id=account.id if account else None,
        state=BotState.OFF,
        settings=BotSettings().to_json(),
        created_at=now,
        updated_at=now,
    )
    session.add(bot)
    session.flush()
    return bot


def _check_listed(settings: BotSettings, now: datetime) -> None:
    listed = {coin.code for coin in catalogue(now) if coin.is_active}
    unknown = [code for code in settings.codes if code not in listed]
    if unknown:
        raise InvalidInput("codes", "bot_coin_unknown", coin=unknown[0])


def _check_free_to_move(session: Session, bot: Bot) -> None:
    if bot.state not in _REST:
        raise Conflict("bot_is_on")
    if has_pending(session, bot.id):
        raise Conflict("bot_not_settled")
    held = session.scalar(select(Position.market).where(Position.bot_id == bot.id).limit(1))
    if held is not None:
        raise Conflict("bot_holds_coins")


def _run_to_end(session: Session, bot: Bot, now: datetime) -> BotRun | None:
    """The run in which a halt sells: the open one, or one made for what an ended run left."""
    run = open_run_of(session, bot.id)
    held = session.scalar(select(Position.market).where(Position.bot_id == bot.id).limit(1))
    return run if run is not None or held is None else open_run(session, bot, read_prices(now), now)
