"""What the database itself refuses, whoever writes."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from app.db import PriceUnits, UtcDateTime, table_of, transaction
from app.models import Lease, User, Vote
from tests import factories as make

Refused = Callable[..., None]


@pytest.fixture
def refused(session: Session) -> Refused:
    """Run a statement and see it refused by the named constraint."""

    def check(statement: str, match: str, **values: object) -> None:
        with pytest.raises(IntegrityError, match=match):
            session.execute(text(statement), values)
        session.rollback()

    return check


@pytest.fixture
def ids(session: Session) -> dict[str, int]:
    """alice's vote with bob's answer."""
    alice, bob = make.make_user("alice"), make.make_user("bob")
    vote = make.make_vote(alice)
    make.answer(bob, vote)
    return {"alice": alice.id, "bob": bob.id, "vote": vote.id, "coin": vote.coin_id}


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("points = -1", "points_not_negative"),
        ("right_count = 1", "counts_agree"),
        ("right_count = -1", "counts_agree"),
        ("nickname_key = 'alice'", "nickname_key"),
    ],
)
def test_person_that_cannot_be_is_refused(
    ids: dict[str, int], refused: Refused, change: str, constraint: str
) -> None:
    refused(f"UPDATE users SET {change} WHERE nickname = 'bob'", constraint)  # noqa: S608


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("range_pct = 0", "range_in_bounds"),
        ("range_pct = 301", "range_in_bounds"),
        ("direction = 'down', range_pct = 100", "fall_below_100"),
        ("created_price = 0", "created_price_positive"),
        ("final_price = 0", "final_price_positive"),
        ("tracked_at = finished_at", "closes_before_result"),
        ("yes_whales = 2", "counts_agree"),
        ("no_whales = -1", "counts_agree"),
        ("state = 'tracked'", "settled_has_evidence"),
        ("outcome = 'yes'", "settled_has_evidence"),
        ("state = 'void'", "void_has_reason"),
        ("void_reason = 'x', voided_at = '2026-01-01'", "void_has_reason"),
        ("state = 'unknown'", "state"),
        ("direction = 'sideways'", "direction"),
        ("duration = 'year'", "duration"),
        ("outcome = 'maybe'", "outcome"),
        ("coin_id = 99", "FOREIGN KEY"),
        ("creator_id = 99", "FOREIGN KEY"),
    ],
)
def test_vote_that_cannot_be_is_refused(
    ids: dict[str, int], refused: Refused, change: str, constraint: str
) -> None:
    refused(f"UPDATE votes SET {change}", constraint)  # noqa: S608


@pytest.mark.parametrize(
    "evidence",
    [
        "final_price",
        "candle_opened_at",
        "quote_source",
        "quote_fetched_at",
        "raw_quote",
        "settled_at",
        "crowd_right",
        "outcome",
    ],
)
def test_settled_vote_cannot_lose_its_evidence(
    ids: dict[str, int], refused: Refused, evidence: str
) -> None:
    make.settle(make.close(make.reload(ids["vote"])))

    refused(f"UPDATE votes SET {evidence} = NULL", "settled_has_evidence")  # noqa: S608


def test_one_request_key_makes_one_vote(session: Session, ids: dict[str, int]) -> None:
    row = session.execute(select(table_of(Vote))).mappings().one()
    computed = {"id", "stage", "answer_count", "evenness"}
    copy = {name: value for name, value in row.items() if name not in computed}

    with pytest.raises(IntegrityError, match="request_key"):
        session.execute(table_of(Vote).insert(), copy)
    session.rollback()


BALLOT = (
    "INSERT INTO ballots (vote_id, user_id, choice, is_whale, created_at)"
    " VALUES (:vote, :user, :choice, 0, '2026-01-01')"
)


def test_one_ballot_per_person_and_vote(ids: dict[str, int], refused: Refused) -> None:
    refused(BALLOT, "UNIQUE", vote=ids["vote"], user=ids["bob"], choice="no")


def test_ballot_needs_a_vote_a_person_and_a_choice(ids: dict[str, int], refused: Refused) -> None:
    refused(BALLOT, "FOREIGN KEY", vote=99, user=ids["alice"], choice="no")
    refused(BALLOT, "FOREIGN KEY", vote=ids["vote"], user=99, choice="no")
    refused(BALLOT, "choice", vote=ids["vote"], user=ids["alice"], choice="maybe")


ENTRY = (
    "INSERT INTO ledger_entries (user_id, vote_id, reason, amount, kst_day, created_at)"
    " VALUES (:user, :vote, :reason, :amount, :day, '2026-01-01')"
)


@pytest.mark.parametrize(
    ("reason", "amount", "has_vote", "day", "constraint"),
    [
        ("stake", 10, True, None, "entries_fits_reason"),
        ("creation", 50, True, None, "entries_fits_reason"),
        ("reward", -20, True, None, "entries_fits_reason"),
        ("stake_refund", 0, True, None, "entries_fits_reason"),
        ("creation_refund", -50, True, None, "entries_fits_reason"),
        ("grant", -5, False, None, "entries_fits_reason"),
        ("reward", 20, False, None, "entries_fits_reason"),
        ("stake", -10, False, None, "entries_fits_reason"),
        ("grant", 5, True, None, "entries_fits_reason"),
        ("top_up", 10, False, None, "day_fits_reason"),
        ("grant", 10, False, "2026-01-01", "day_fits_reason"),
        ("gift", 10, False, None, "entries_fits_reason"),
        ("welcome", 300, False, None, "UNIQUE"),
        ("stake", -10, True, None, "UNIQUE"),
    ],
)
def test_entry_that_cannot_be_is_refused(
    ids: dict[str, int],
    refused: Refused,
    reason: str,
    amount: int,
    has_vote: bool,
    day: str | None,
    constraint: str,
) -> None:
    vote = ids["vote"] if has_vote else None

    refused(ENTRY, constraint, user=ids["bob"], vote=vote, reason=reason, amount=amount, day=day)


def test_entry_needs_a_person_and_a_vote_that_exist(ids: dict[str, int], refused: Refused) -> None:
    grant = {"reason": "grant", "amount": 5, "day": None}
    refused(ENTRY, "FOREIGN KEY", user=99, vote=None, **grant)
    reward = {"reason": "reward", "amount": 20, "day": None}
    refused(ENTRY, "FOREIGN KEY", user=ids["bob"], vote=99, **reward)


def test_one_top_up_per_person_and_day(
    session: Session, ids: dict[str, int], refused: Refused
) -> None:
    top_up = {"user": ids["bob"], "vote": None, "reason": "top_up", "amount": 10}
    for day in ("2026-01-01", "2026-01-02"):
        session.execute(text(ENTRY), top_up | {"day": day})
    session.commit()

    refused(ENTRY, "UNIQUE", **top_up, day="2026-01-02")


def test_price_must_be_positive(ids: dict[str, int], refused: Refused) -> None:
    refused("UPDATE quotes SET price = 0", "price_positive")
    refused("UPDATE price_samples SET price = -1", "price_positive")


def test_coin_is_active_or_delisted_never_both(ids: dict[str, int], refused: Refused) -> None:
    refused("UPDATE coins SET is_active = 0", "active_or_delisted")
    refused("UPDATE coins SET delisted_at = '2026-01-01'", "active_or_delisted")


def test_code_and_market_are_unique(ids: dict[str, int], refused: Refused) -> None:
    make.make_coin("ETH")

    refused("UPDATE coins SET code = 'BTC' WHERE code = 'ETH'", "coins.code")
    refused("UPDATE coins SET market = 'KRW-BTC' WHERE code = 'ETH'", "coins.market")


def test_one_sample_per_coin_and_minute(ids: dict[str, int], refused: Refused) -> None:
    refused("INSERT INTO price_samples SELECT * FROM price_samples", "UNIQUE")


def test_lease_has_one_row_per_name(session: Session) -> None:
    for holder in ("one", "other"):
        session.add(Lease(name="scheduler", holder=holder, expires_at=make.NOW))

    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_people_and_coins_with_history_cannot_be_deleted(
    ids: dict[str, int], refused: Refused
) -> None:
    for table in ("users", "coins", "votes"):
        refused(f"DELETE FROM {table}", "FOREIGN KEY")  # noqa: S608


def test_stage_counts_and_evenness_are_computed(session: Session, ids: dict[str, int]) -> None:
    make.answer(make.make_user(), make.reload(ids["vote"]), "no")
    for _ in range(2):
        make.answer(make.make_user(), make.reload(ids["vote"]), "yes")

    vote = make.reload(ids["vote"])

    assert (vote.stage, vote.answer_count, vote.evenness) == (0, 4, 250)
    assert make.close(vote).stage == 1


def test_price_is_kept_as_a_count_of_1e8ths() -> None:
    column, dialect = PriceUnits(), SQLiteDialect()

    assert column.process_bind_param(Decimal("0.00001234"), dialect) == 1234
    assert column.process_result_value(1234, dialect) == Decimal("0.00001234")


def test_time_without_zone_is_refused(session: Session) -> None:
    session.add(Lease(name="x", holder="y", expires_at=datetime(2026, 1, 1)))  # noqa: DTZ001

    with pytest.raises(StatementError, match="without zone"):
        session.flush()
    session.rollback()


def test_time_comes_back_as_utc(session: Session, alice: User) -> None:
    assert UtcDateTime().cache_ok
    session.expire(alice)
    assert alice.created_at == make.NOW
    assert str(alice.created_at.tzinfo) == "UTC"


def test_transactions_do_not_nest(session: Session) -> None:
    with transaction(), pytest.raises(RuntimeError, match="one deed"), transaction():
        pass


def test_transaction_that_raises_leaves_nothing(session: Session) -> None:
    def half_a_deed() -> None:
        with transaction() as writing:
            writing.add(Lease(name="x", holder="y", expires_at=make.NOW))
            writing.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_deed()

    assert session.scalar(select(Lease.name)) is None
    with transaction():
        pass


def test_sqlite_is_set_up_for_money(session: Session) -> None:
    pragmas = {
        name: session.execute(text(f"PRAGMA {name}")).scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
