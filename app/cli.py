"""Commands for the operator (`flask --app run …`); each calls a service and says what it did."""

from datetime import datetime, timedelta

import click
from flask import Flask
from flask.cli import AppGroup

from app import simulator
from app.clock import utcnow
from app.demo import NotADemo, seed
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.trading import typed_backtest
from app.exchanges.base import ExchangeError
from app.jobs.candles import LANES, Filling, SomebodyFills, turn_to_fill
from app.jobs.guard import Steps
from app.jobs.settling import Settlement
from app.services import accounts, market, points, votes
from app.services.exchanges import Sealer, renew_seals
from app.services.trading.backtests import check_known
from app.services.trading.results import BacktestCoin
from app.services.trading.testing import run_backtest, total_steps
from app.wiring import fingerprint_key, sealing_keys
from app.wiring import market as exchange

users = AppGroup("users", help="People: who is staff, who is there.")
points_group = AppGroup("points", help="The ledger.")
votes_group = AppGroup("votes", help="Votes.")
markets_group = AppGroup("markets", help="The markets of the exchange.")
candles_group = AppGroup("candles", help="The candles that we keep.")
exchanges_group = AppGroup("exchanges", help="People's accounts at exchanges.")
demo_group = AppGroup("demo", help="The demo database.")


def init_app(app: Flask) -> None:
    """Register all commands."""
    groups = (users, points_group, votes_group, markets_group, candles_group, exchanges_group)
    for group in (*groups, demo_group):
        app.cli.add_command(group)
    app.cli.add_command(simulate)
    app.cli.add_command(backtest)


@users.command("promote")
@click.argument("nickname")
def promote(nickname: str) -> None:
    """Make NICKNAME staff: their votes are free and pay 30."""
    _set_staff(nickname, is_staff=True)


@users.command("demote")
@click.argument("nickname")
def demote(nickname: str) -> None:
    """Take NICKNAME from the staff; votes made so far stay as they are."""
    _set_staff(nickname, is_staff=False)


@users.command("list")
def list_users() -> None:
    """One line per person: id, points, right/settled, staff, nickname."""
    for user in accounts.list_users():
        record = f"{user.right_count}/{user.settled_count}"
        role = "staff" if user.is_staff else "-"
        click.echo(f"{user.id}\t{user.points}\t{record}\t{role}\t{user.nickname}")
    click.echo(f"{accounts.count_users()} people", err=True)


@points_group.command("audit")
def audit() -> None:
    """Prove ledger = balances = counters; every difference is a line, and then the exit is 1."""
    found = 0
    for difference in points.audit():
        found += 1
        click.echo(
            f"{difference.what} {difference.ident}: "
            f"stored {difference.cached}, proven {difference.proven}"
        )
    if found:
        raise click.ClickException(f"{found} differences between the ledger and what is stored")
    click.echo("the books are right: ledger, balances and counters agree")


@votes_group.command("settle")
def settle() -> None:
    """Close and settle everything that is due, now; safe beside a running server."""
    now = utcnow()
    closed = votes.close_due_votes(now=now)
    due = sum(len(group.vote_ids) for group in votes.due_groups(now=now))
    steps = Steps(now=now)
    with click.progressbar(length=due, label="settling") as bar:
        settlement = Settlement(exchange(), steps, progress=bar.update)
        settlement.run()
    click.echo(
        f"closed {closed}, settled {settlement.settled}, void {settlement.voided}, "
        f"waiting {settlement.pushed_back}"
    )
    if settlement.pushed_back or votes.due_groups(now=now):
        for line in steps.report.get("waiting", []):
            click.echo(f"waiting: {line}", err=True)
        raise click.ClickException("not everything could be settled; it is tried again")


@votes_group.command("void")
@click.argument("vote_id", type=int)
@click.option("--reason", required=True, help="What people read on the vote's page.")
def void(vote_id: int, reason: str) -> None:
    """Void vote VOTE_ID: every stake and the creation cost go back."""
    try:
        refunded = votes.void_vote(vote_id=vote_id, reason=reason, now=utcnow())
    except NotFound:
        raise click.ClickException(f"there is no vote {vote_id}") from None
    except Conflict:
        raise click.ClickException(f"vote {vote_id} is settled or void already") from None
    except InvalidInput as error:
        raise click.UsageError(f"--reason: {error.code}; give 1 to 200 characters") from None
    click.echo(f"vote {vote_id} is void, {refunded} points went back")


@markets_group.command("refresh")
def refresh() -> None:
    """Read the exchange's list of markets and their prices now."""
    changes, stored = _refresh(utcnow())
    click.echo(
        f"{len(changes.added)} new, {len(changes.delisted)} delisted, {stored.stored} prices stored"
    )


@candles_group.command("fill")
@click.option("--days", default=market.KEEP_DAYS, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--coins", metavar="CODES", help="Only these, as BTC,ETH.")
def fill_candles(days: int, coins: str | None) -> None:
    """Fetch all candles that are wanted and not known; after Ctrl-C the next run goes on there."""
    now = utcnow()
    if market.price_age(now).is_stale:
        _refresh(now)
    wanted = market.candle_targets(now=now, days=days, codes=_codes(coins, now))
    targets = [target for target in wanted if target.is_due(now)]
    steps = Steps(now=now)
    try:
        with (
            turn_to_fill() as may_go_on,
            click.progressbar(
                length=sum(one.calls_left for one in targets), label="candles"
            ) as bar,
        ):
            filling = Filling(exchange(), steps, may_go_on, bar.update, LANES)
            filling.run(targets)
    except SomebodyFills:
        raise click.ClickException(
            "a running server fills them right now; `candles status` shows how far it is"
        ) from None
    except KeyboardInterrupt:
        raise click.ClickException("stopped; what came is kept, the next run goes on") from None
    click.echo(f"{filling.calls} calls, {filling.stored} candles, {filling.pushed_back} failed")
    if not filling.is_over or filling.pushed_back:
        raise click.ClickException("not all could be had; `candles status` says why")


@candles_group.command("status")
def candle_status() -> None:
    """How far the candles are filled, at what pace, and what could not be had."""
    progress = market.fill_progress(utcnow())
    for unit in progress.units:
        click.echo(
            f"{unit.unit.name.lower()}s\t{unit.known} of {unit.wanted} coins known\t"
            f"{unit.calls_left} calls left\t{unit.candles} candles"
        )
    for one in progress.failing:
        click.echo(
            f"failing\t{one.code} {one.unit.name.lower()}s\t{one.attempts} times\t"
            f"again at {one.retry_at:%Y-%m-%d %H:%M} UTC\t{one.problem}"
        )
    if progress.calls_per_s and progress.time_left and progress.calls_left:
        left = timedelta(seconds=round(progress.time_left.total_seconds()))
        click.echo(f"{progress.calls_per_s:.1f} calls a second, about {left} left")


@exchanges_group.command("rotate-keys")
def rotate_keys() -> None:
    """Seal all linked keys with the first of EXCHANGE_KEYS; stopped or killed, nothing is lost."""
    renewed, unreadable = renew_seals(sealer=Sealer(sealing_keys(), fingerprint_key()))
    click.echo(f"{renewed} linked keys are sealed with the newest key")
    if unreadable:
        raise click.ClickException(
            f"{unreadable} can't be opened with any of the keys: put the missing key back behind "
            "the first, or let their owners link them again"
        )


@demo_group.command("seed")
def demo_seed() -> None:
    """Fill the demo database with people and votes in every stage; twice is harmless."""
    try:
        click.echo(seed(exchange(), utcnow()))
    except NotADemo as error:
        raise click.ClickException(str(error)) from error


@click.command("simulator")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9900, show_default=True, type=click.IntRange(0, 65535))
@click.option("--ws-port", type=click.IntRange(0, 65535), help="The stream's; default: port + 1.")
@click.option("--seed", default=1, show_default=True)
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0, 100_000))
@click.option("--markets", default=200, show_default=True, type=click.IntRange(1, 1000))
@click.option("--replay", type=click.Path(exists=True, file_okay=False), help="Recorded JSON.")
def simulate(
    host: str,
    port: int,
    ws_port: int | None,
    seed: int,
    speed: float,
    markets: int,
    replay: str | None,
) -> None:
    """Run the simulated exchange alone, until Ctrl-C."""
    try:
        simulator.run(
            host=host,
            port=port,
            seed=seed,
            speed=speed,
            markets=markets,
            replay=replay,
            announce=click.echo,
            ws_port=ws_port,
        )
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@click.command("backtest")
@click.argument("codes", nargs=-1, required=True)
@click.option("--days", default="365", show_default=True, help="How many finished days.")
@click.option("--k", "grid", default="0.1:0.9:0.1", show_default=True, metavar="FIRST:LAST:STEP")
@click.option("--window", default="30", show_default=True, help="Days that choose k.")
@click.option("--fee", default="0.05", show_default=True, help="Percent of each trade.")
@click.option("--slippage", default="0.1", show_default=True, help="Percent of each price.")
@click.option("--mean-days", default="", help="Buy only above the mean of so many days.")
@click.option("--stop-loss", default="", help="Percent below the price paid.")
@click.option("--plays", type=click.Choice(["breakout", "crossing"]), default="breakout")
@click.option("--short", default="5", show_default=True, help="Days of the crossing's short mean.")
@click.option("--long", default="20", show_default=True, help="Days of its long mean.")
@click.option("--capital", default="1000000", show_default=True, help="Won to begin with.")
def backtest(codes: tuple[str, ...], grid: str, **typed: str) -> None:
    """Search k for each of CODES on the candles we hold, and walk forward with what was chosen."""
    first, _, rest = grid.partition(":")
    last, _, step = rest.partition(":")
    found = typed | {"k_first": first, "k_last": last, "k_step": step, "codes": " ".join(codes)}
    try:
        settings = typed_backtest(found)
        check_known(settings, utcnow())
    except InvalidInput as error:
        said = " ".join(f"{name}={value}" for name, value in error.params.items())
        raise click.UsageError(f"{error.field}: {error.code} {said}".strip()) from None
    with click.progressbar(length=total_steps(settings), label="backtest") as bar:
        result = run_backtest(
            settings, now=utcnow(), progress=lambda done: bar.update(done - bar.pos)
        )
    for coin in result["coins"]:
        _tell_backtest(coin)
    if all(coin["problem"] for coin in result["coins"]):
        raise click.ClickException("no coin could be judged; `candles status` says what is known")


def _tell_backtest(coin: BacktestCoin) -> None:
    data = coin["data"]
    click.echo(
        f"{coin['code']}\t{data['known']} of {data['wanted']} days known\t"
        f"{data['first']} to {data['last']}\t{data['missing']} missing\t{data['source']}"
    )
    if coin["problem"]:
        click.echo(f"problem\t{coin['problem']} {coin['params']}")
        return
    for k in coin["ks"]:
        click.echo(
            f"k {k['k']}\t{k['return_pct']:+.2f}%\t{k['trades']} trades\t"
            f"chosen on {k['chosen_days']} days"
        )
    if coin["best_k"]:
        click.echo(f"best k {coin['best_k']}\tnext k {coin['next_k']}\tp {coin['p_value']:.3f}")
    for name in ("in_sample", "out_of_sample", "holding"):
        line = coin[name]
        if line:
            click.echo(
                f"{name}\t{line['return_pct']:+.2f}%\tfall {line['drawdown_pct']:.2f}%\t"
                f"{line['hits']} of {line['trades']} trades gained\t{line['days']} days"
            )
    for doubt in coin["doubts"]:
        click.echo(f"doubt\t{doubt}")


def _refresh(now: datetime) -> tuple[market.ListingChanges, market.StoreReport]:
    try:
        changes = market.refresh_listings(market=exchange(), now=now)
        return changes, market.store_tickers(market=exchange(), now=now)
    except ExchangeError as error:
        raise click.ClickException(f"the exchange gave no usable answer: {error}") from error


def _codes(text: str | None, now: datetime) -> set[str] | None:
    """The codes in a list like `BTC,eth`; None for all."""
    if text is None:
        return None
    codes = {code.strip().upper() for code in text.split(",")} - {""}
    unknown = codes - {coin.code for coin in market.catalogue(now) if coin.is_active}
    if unknown or not codes:
        names = ", ".join(sorted(unknown)) or repr(text)
        raise click.UsageError(f"--coins: no active coin {names}; give codes as BTC,ETH")
    return codes


def _set_staff(nickname: str, *, is_staff: bool) -> None:
    try:
        user = accounts.set_staff(name=nickname, is_staff=is_staff)
    except NotFound:
        raise click.ClickException(
            f"nobody has the nickname {nickname!r}; `flask --app run users list` shows them"
        ) from None
    click.echo(f"{user.nickname} is {'staff' if is_staff else 'no longer staff'}")
