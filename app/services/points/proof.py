"""The proof that ledger, balances and counters agree."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from app.extensions import db


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that two books disagree about."""

    what: str
    ident: int
    cached: int
    proven: int


# What each cached figure must be when it is counted anew. The audit reads these row by row and
# compares; nothing here is clever, so that it can be trusted to judge what is.
_PROOFS = {
    "points of user": (
        "SELECT u.id, u.points, coalesce(e.s, 0) FROM users u LEFT JOIN"
        " (SELECT user_id, sum(amount) AS s FROM ledger_entries GROUP BY user_id) e"
        " ON e.user_id = u.id WHERE u.points <> coalesce(e.s, 0)"
    ),
    "settled answers of user": (
        "SELECT u.id, u.settled_count, coalesce(b.n, 0) FROM users u LEFT JOIN"
        " (SELECT user_id, count(*) AS n FROM ballots JOIN votes v ON v.id = vote_id"
        "  WHERE v.state = 'tracked' GROUP BY user_id) b"
        " ON b.user_id = u.id WHERE u.settled_count <> coalesce(b.n, 0)"
    ),
    "right answers of user": (
        "SELECT u.id, u.right_count, coalesce(b.n, 0) FROM users u LEFT JOIN"
        " (SELECT user_id, count(*) AS n FROM ballots JOIN votes v ON v.id = vote_id"
        "  WHERE v.state = 'tracked' AND choice = v.outcome GROUP BY user_id) b"
        " ON b.user_id = u.id WHERE u.right_count <> coalesce(b.n, 0)"
    ),
    "answers of vote": (
        "SELECT v.id, v.answer_count, coalesce(b.n, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, count(*) AS n FROM ballots GROUP BY vote_id) b"
        " ON b.vote_id = v.id WHERE v.answer_count <> coalesce(b.n, 0)"
    ),
    "yes answers of vote": (
        "SELECT v.id, v.yes_count, coalesce(b.n, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, count(*) AS n FROM ballots WHERE choice = 'yes' GROUP BY vote_id) b"
        " ON b.vote_id = v.id WHERE v.yes_count <> coalesce(b.n, 0)"
    ),
    "whales of vote": (
        "SELECT v.id, v.yes_whales + v.no_whales, coalesce(b.n, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(CASE WHEN is_whale THEN 1 ELSE 0 END) AS n FROM ballots"
        "  GROUP BY vote_id) b"
        " ON b.vote_id = v.id WHERE v.yes_whales + v.no_whales <> coalesce(b.n, 0)"
    ),
    "stakes of vote": (
        "SELECT v.id, v.answer_count * v.spent_point, coalesce(-e.s, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries WHERE reason = 'stake'"
        "  GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE v.answer_count * v.spent_point <> coalesce(-e.s, 0)"
    ),
    "rewards of vote": (
        "SELECT v.id, CASE v.outcome WHEN 'yes' THEN v.yes_count WHEN 'no' THEN v.no_count"
        " ELSE 0 END * v.earned_point, coalesce(e.s, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries WHERE reason = 'reward'"
        "  GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE CASE v.outcome WHEN 'yes' THEN v.yes_count"
        " WHEN 'no' THEN v.no_count ELSE 0 END * v.earned_point <> coalesce(e.s, 0)"
    ),
    "refunds of vote": (
        "SELECT v.id, CASE v.state WHEN 'void'"
        " THEN v.answer_count * v.spent_point + v.creation_cost ELSE 0 END, coalesce(e.s, 0)"
        " FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries"
        "  WHERE reason IN ('stake_refund', 'creation_refund') GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE CASE v.state WHEN 'void'"
        " THEN v.answer_count * v.spent_point + v.creation_cost ELSE 0 END <> coalesce(e.s, 0)"
    ),
    "creation of vote": (
        "SELECT v.id, v.creation_cost, coalesce(-e.s, 0) FROM votes v LEFT JOIN"
        " (SELECT vote_id, sum(amount) AS s FROM ledger_entries WHERE reason = 'creation'"
        "  GROUP BY vote_id) e"
        " ON e.vote_id = v.id WHERE v.creation_cost <> coalesce(-e.s, 0)"
    ),
    # Sums can agree while the wrong person was paid: every entry must have its reason.
    "entries of vote without reason": (
        "SELECT e.vote_id, count(*), 0 FROM ledger_entries e JOIN votes v ON v.id = e.vote_id"
        " LEFT JOIN ballots b ON b.vote_id = e.vote_id AND b.user_id = e.user_id"
        " WHERE CASE e.reason"
        " WHEN 'stake' THEN b.choice IS NULL OR e.amount <> -v.spent_point"
        " WHEN 'reward' THEN b.choice IS NULL OR v.outcome IS NULL OR b.choice <> v.outcome"
        "  OR e.amount <> v.earned_point"
        " WHEN 'stake_refund' THEN b.choice IS NULL OR e.amount <> v.spent_point"
        " ELSE e.user_id <> v.creator_id END GROUP BY e.vote_id"
    ),
}


def audit() -> Iterator[Difference]:
    """Prove ledger = balances = counters; yields every difference, none when the books are right.

    All proofs read one snapshot of the database, so it may run beside the server.
    """
    db.session.rollback()
    try:
        for what, proof in _PROOFS.items():
            for ident, cached, proven in db.session.execute(text(proof)):
                yield Difference(what, ident, cached, int(proven))
    finally:
        db.session.rollback()
