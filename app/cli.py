"""Commands for the operator (`flask --app run …`); each calls a service and says what it did."""

import click
from flask import Flask
from flask.cli import AppGroup

from app import simulator
from app.clock import utcnow
from app.demo import NotADemo, seed
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.exchanges.base import ExchangeError
from app.jobs.guard import Steps
from app.jobs.settling import Settlement
from app.services import accounts, market, points, votes
from app.wiring import market as exchange

users = AppGroup("users", help="People: who is staff, who is there.")
points_group = AppGroup("points", help="The ledger.")
votes_group = AppGroup("votes", help="Votes.")
markets_group = AppGroup("markets", help="The markets of the exchange.")
demo_group = AppGroup("demo", help="The demo database.")


def init_app(app: Flask) -> None:
    """Register all commands."""
    for group in (users, points_group, votes_group, markets_group, demo_group):
        app.cli.add_command(group)
    app.cli.add_command(simulate)


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
    if not steps.ok or settlement.pushed_back:
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
    now = utcnow()
    try:
        changes = market.refresh_listings(market=exchange(), now=now)
        stored = market.store_tickers(market=exchange(), now=now)
    except ExchangeError as error:
        raise click.ClickException(f"the exchange gave no usable answer: {error}") from error
    click.echo(
        f"{len(changes.added)} new, {len(changes.delisted)} delisted, {stored.stored} prices stored"
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


def _set_staff(nickname: str, *, is_staff: bool) -> None:
    try:
        user = accounts.set_staff(name=nickname, is_staff=is_staff)
    except NotFound:
        raise click.ClickException(
            f"nobody has the nickname {nickname!r}; `flask --app run users list` shows them"
        ) from None
    click.echo(f"{user.nickname} is {'staff' if is_staff else 'no longer staff'}")
