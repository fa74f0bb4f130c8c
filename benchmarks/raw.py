"""The limit of settling: the same result by plain sqlite3, and what the books say afterwards."""

import sqlite3
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from app.domain.money import from_units, to_units
from app.domain.votes import Direction, Duration, Question, crowd_was_right, outcome
from app.services.votes import Evidence
from benchmarks.stage import connect, stamp

_VOTE = (
    "SELECT direction, duration, range_pct, created_price, yes_count, no_count, earned_point"
    " FROM votes WHERE id = ?"
)
_CLAIM = (
    "UPDATE votes SET state = 'tracked', outcome = ?, crowd_right = ?, final_price = ?,"
    " candle_opened_at = ?, quote_source = ?, quote_fetched_at = ?, raw_quote = ?,"
    " settled_at = ?, updated_at = ? WHERE id = ? AND state = 'finished'"
)
_PAY = (
    "INSERT INTO ledger_entries (user_id, vote_id, reason, amount, created_at)"
    " SELECT user_id, vote_id, 'reward', ?, ? FROM ballots WHERE vote_id = ? AND choice = ?"
)
_COUNT = (
    "UPDATE users SET settled_count = settled_count + 1, right_count = right_count + b.hit,"
    " points = points + b.hit * ? FROM (SELECT user_id, choice = ? AS hit FROM ballots"
    " WHERE vote_id = ?) AS b WHERE users.id = b.user_id"
)


def settle(connection: sqlite3.Connection, vote_id: int, evidence: Evidence, now: datetime) -> bool:
    """Settle one vote in one durable transaction; whether it was there to be settled."""
    connection.execute("BEGIN IMMEDIATE")
    settled = settle_within(connection, vote_id, evidence, now)
    connection.execute("COMMIT")
    return settled


def settle_within(
    connection: sqlite3.Connection, vote_id: int, evidence: Evidence, now: datetime
) -> bool:
    """Settle one vote in the transaction that is open."""
    direction, duration, range_pct, created, yes, no, earned = connection.execute(
        _VOTE, (vote_id,)
    ).fetchone()
    candle = evidence.candle
    result = outcome(
        Question(Direction(direction), Duration(duration), range_pct),
        created_price=from_units(created),
        final_price=candle.close,
    )
    right = crowd_was_right(result, yes_count=yes, no_count=no)
    at = stamp(now)
    claimed = connection.execute(
        _CLAIM,
        (
            result.value, right, to_units(candle.close), stamp(candle.opened_at), evidence.source,
            stamp(evidence.fetched_at), candle.raw, at, at, vote_id,
        ),
    ).rowcount  # fmt: skip
    if claimed:
        connection.execute(_PAY, (earned, at, vote_id, result.value))
        connection.execute(_COUNT, (earned, result.value, vote_id))
    return bool(claimed)


def books(path: Path, first_vote: int, *, prices: bool = False) -> dict[str, object]:
    """What must be equal afterwards: people's sums, votes with their evidence, the new rewards.

    With `prices` also the quotes and samples.
    """
    connection = connect(path)
    queries = {
        "people": "SELECT id, points, right_count, settled_count FROM users ORDER BY id",
        "votes": "SELECT id, state, outcome, crowd_right, final_price, candle_opened_at,"
        " quote_source FROM votes ORDER BY id",
        "rewards": "SELECT user_id, vote_id, amount FROM ledger_entries"
        f" WHERE vote_id >= {int(first_vote)} AND reason = 'reward' ORDER BY vote_id, user_id",
        "ledger": "SELECT count(*), sum(amount) FROM ledger_entries",
    }
    if prices:
        queries["quotes"] = (
            "SELECT coin_id, price, prev_close, high, low, change_rate, turnover_24h, traded_at,"
            " observed_at FROM quotes ORDER BY coin_id"
        )
        queries["samples"] = "SELECT * FROM price_samples ORDER BY coin_id, minute"
    found: dict[str, object] = {}
    for name, query in queries.items():
        rows = connection.execute(query).fetchall()
        found[name] = (len(rows), sha256(repr(rows).encode()).hexdigest())
    connection.close()
    return found


def count_settled(path: Path, first_vote: int) -> int:
    """How many of the votes from `first_vote` on are settled."""
    connection = connect(path)
    query = "SELECT count(*) FROM votes WHERE state = 'tracked' AND id >= ?"
    number = int(connection.execute(query, (first_vote,)).fetchone()[0])
    connection.close()
    return number
