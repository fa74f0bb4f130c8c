"""The operator's commands: what they say, what they change, and how they end."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, text

from app import cli
from app.clock import utcnow
from app.domain.exchanges import ExchangeName, Keys
from app.exchanges.base import Broker
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs import settling
from app.models import Coin, LinkedAccount, User, Vote
from app.services.exchanges import Doors, Sealer, link_account
from app.simulator import Simulator
from app.wiring import fingerprint_key
from tests import factories as make
from tests.conftest import SEALING_KEY, MakeApp
from tests.fakes import FakeBroker

Command = Callable[..., Result]
OLDER = f"{'o' * 43}="


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator(markets=12, rate_limit=None) as sim:
        yield sim


@pytest.fixture
def app(make_app: MakeApp, exchange: Simulator) -> Iterator[Flask]:
    """An application with the commands, before a simulated exchange."""
    app = make_app(upbit_url=exchange.url, demo=True)
    cli.init_app(app)
    with app.app_context():
        yield app
        exchange.clear_faults()


@pytest.fixture
def run(app: Flask) -> Command:
    def invoke(*arguments: str) -> Result:
        db.session.rollback()
        return app.test_cli_runner().invoke(args=list(arguments))

    return invoke


@pytest.fixture
def due_vote(app: Flask, exchange: Simulator) -> Vote:
    """A vote on the exchange's bitcoin, answered by its asker, whose result is just due."""
    asker = make.make_user()
    make.make_coin("BTC", price=str(exchange.price("KRW-BTC", utcnow())))
    vote = make.make_vote(asker, now=utcnow() - timedelta(days=1, minutes=2))
    make.answer(asker, vote)
    return vote


def refused(done: Result, words: str) -> bool:
    """Ended with an error that says these words, and without a traceback."""
    crashed = done.exception is not None and not isinstance(done.exception, SystemExit)
    return done.exit_code != 0 and words in done.output and not crashed


def test_promote_and_demote_change_the_role_and_may_be_repeated(run: Command) -> None:
    alice = make.make_user("Alice")

    for command, is_staff in (("promote", True), ("promote", True), ("demote", False)):
        done = run("users", command, "alice")
        assert done.exit_code == 0
        assert "Alice is" in done.output
        assert make.db.session.get(User, alice.id, populate_existing=True).is_staff is is_staff  # type: ignore[union-attr]


def test_promote_of_nobody_says_where_to_look(run: Command) -> None:
    assert refused(run("users", "promote", "nobody"), "users list")
    assert refused(run("users", "demote", "\x00"), "users list")


def test_list_shows_one_line_per_person(run: Command) -> None:
    make.make_user("alice", record=(1, 2))
    make.make_user("root", points=0, is_staff=True)

    done = run("users", "list")

    lines = [line.split("\t")[1:] for line in done.stdout.splitlines()]
    assert lines == [["300", "1/2", "-", "alice"], ["0", "0/0", "staff", "root"]]
    assert "2 people" in done.stderr


def test_audit_of_right_books_ends_well(run: Command) -> None:
    make.make_user()

    done = run("points", "audit")

    assert done.exit_code == 0
    assert "the books are right" in done.output


def test_audit_names_each_difference_and_ends_with_1(run: Command) -> None:
    alice, bob = make.make_user(), make.make_user()
    db.session.execute(text("UPDATE users SET points = points + 7"))
    db.session.commit()

    done = run("points", "audit")

    assert done.exit_code == 1
    for user_id in (alice.id, bob.id):
        assert f"points of user {user_id}: stored 307, proven 300" in done.output
    assert "2 differences" in done.output


def test_settle_does_what_is_due_and_nothing_the_second_time(run: Command, due_vote: Vote) -> None:
    first, second = run("votes", "settle"), run("votes", "settle")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "closed 1, settled 1, void 0, waiting 0" in first.output
    assert "closed 0, settled 0, void 0, waiting 0" in second.output
    assert make.is_state(due_vote, "tracked")


def test_settle_without_exchange_says_what_waits_and_ends_with_1(
    run: Command, exchange: Simulator, due_vote: Vote
) -> None:
    exchange.fault("5xx")

    done = run("votes", "settle")

    assert refused(done, "not everything could be settled")
    assert "waiting: KRW-BTC" in done.output
    assert make.is_state(due_vote, "finished")


def test_settle_that_runs_out_of_time_doesnt_call_it_done(
    run: Command, due_vote: Vote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "MAX_SECONDS", -1.0)

    assert refused(run("votes", "settle"), "not everything could be settled")
    assert make.is_state(due_vote, "finished")


def test_void_gives_back_and_says_how_much(run: Command, due_vote: Vote) -> None:
    done = run("votes", "void", str(due_vote.id), "--reason", "market halted")

    assert f"vote {due_vote.id} is void, 60 points went back" in done.output
    assert make.reload(due_vote.id).void_reason == "market halted"


def test_void_is_refused_with_what_is_wrong(run: Command, due_vote: Vote) -> None:
    vote_id = str(due_vote.id)

    assert refused(run("votes", "void", vote_id), "--reason")
    assert refused(run("votes", "void", vote_id, "--reason", " "), "1 to 200 characters")
    assert refused(run("votes", "void", "99", "--reason", "x"), "there is no vote 99")
    assert refused(run("votes", "void", str(2**70), "--reason", "x"), "there is no vote")
    assert refused(run("votes", "void", "seven", "--reason", "x"), "not a valid integer")
    assert make.reload(int(vote_id)).void_reason is None


def test_second_void_is_refused(run: Command, due_vote: Vote) -> None:
    vote_id = str(due_vote.id)
    run("votes", "void", vote_id, "--reason", "x")

    assert refused(run("votes", "void", vote_id, "--reason", "x"), "settled or void already")


def test_refresh_reads_markets_and_prices(run: Command) -> None:
    first, second = run("markets", "refresh"), run("markets", "refresh")

    assert "12 new, 0 delisted, 12 prices stored" in first.output
    assert "0 new, 0 delisted, 12 prices stored" in second.output


def test_refresh_without_exchange_changes_nothing(run: Command, exchange: Simulator) -> None:
    exchange.fault("html")

    assert refused(run("markets", "refresh"), "no usable answer")

    assert db.session.scalar(select(func.count()).select_from(Coin)) == 0


def test_demo_is_seeded_in_the_demo_database_alone(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(demo=False)
    cli.init_app(app)

    done = app.test_cli_runner().invoke(args=["demo", "seed"])

    assert refused(done, "isn't the demo database")
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.slow
def test_demo_seed_fills_every_stage_and_keeps_the_books(run: Command, app: Flask) -> None:
    with Simulator(rate_limit=None) as whole:
        fill_the_demo(run, app, whole)

    states = set(db.session.scalars(select(Vote.state)))
    assert {"ongoing", "finished", "tracked"} <= {str(state) for state in states}
    assert run("points", "audit").exit_code == 0
    assert db.session.scalar(select(User.is_staff).where(User.nickname == "captain")) is True


def fill_the_demo(run: Command, app: Flask, whole: Simulator) -> None:
    """Seed twice from an exchange that has all the markets of the demo."""
    client = Upbit(whole.url, pacer=Pacer(per_second=1000))
    app.extensions["whaling_market"] = client
    first, second = run("demo", "seed"), run("demo", "seed")

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert re.search(r"\d+ people, \d+ votes added", first.output)
    client.close()


def test_unknown_command_says_so(run: Command) -> None:
    assert refused(run("votes", "unsettle"), "No such command")


def test_every_command_explains_itself(app: Flask) -> None:
    groups = [command for command in app.cli.commands.values() if hasattr(command, "commands")]
    commands = [c for group in groups for c in group.commands.values()]

    assert [c.name for c in (*groups, *commands) if not c.help] == []


def linked(*sealing: str) -> Sealer:
    """Somebody's linked account, sealed with these keys; and who could open it."""
    sealer = Sealer(sealing, fingerprint_key())
    link_account(
        user_id=make.make_user().id,
        exchange=ExchangeName.UPBIT,
        keys=Keys("an-access-key", "a-secret-key"),
        doors=Doors(sealer, lambda *_: cast(Broker, FakeBroker())),
        now=utcnow(),
    )
    return sealer


def test_rotated_keys_open_without_the_old_one(app: Flask, run: Command) -> None:
    linked(OLDER)
    app.config["WHALING_EXCHANGE_KEYS"] = (SEALING_KEY, OLDER)

    answer = run("exchanges", "rotate-keys")

    assert (answer.exit_code, answer.output) == (
        0,
        "1 linked keys are sealed with the newest key\n",
    )
    sealed = str(db.session.scalar(select(LinkedAccount.sealed_keys)))
    assert Sealer((SEALING_KEY,), b"").open(sealed).secret == "a-secret-key"


def test_keys_that_cannot_be_opened_are_counted_and_kept(app: Flask, run: Command) -> None:
    sealer = linked(OLDER)

    answer = run("exchanges", "rotate-keys")

    assert answer.exit_code == 1
    assert "1 can't be opened" in answer.output
    assert sealer.open(str(db.session.scalar(select(LinkedAccount.sealed_keys))))
