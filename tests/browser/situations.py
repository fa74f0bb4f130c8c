"""Votes of the demo by how they look to its own person, and how to find one."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_ANSWERED = "b.choice IS NOT NULL"
_UNANSWERED = "b.choice IS NULL"
SITUATIONS = {
    "open": f"v.state = 'ongoing' AND {_UNANSWERED} AND NOT v.is_staff_vote",
    "free": f"v.state = 'ongoing' AND {_UNANSWERED} AND v.is_staff_vote",
    "answered": f"v.state = 'ongoing' AND {_ANSWERED}",
    "closed": f"v.state = 'finished' AND {_ANSWERED}",
    "unseen": f"v.state = 'finished' AND {_UNANSWERED}",
    "hit": "v.state = 'tracked' AND b.choice = v.outcome",
    "miss": "v.state = 'tracked' AND b.choice <> v.outcome",
    "over": f"v.state = 'tracked' AND {_UNANSWERED}",
    "void": f"v.state = 'void' AND {_ANSWERED}",
}
_VOTES = """
    SELECT v.id, c.code AS coin, v.duration, v.range_pct AS "range", v.direction
    FROM votes v JOIN coins c ON c.id = v.coin_id
    LEFT JOIN ballots b ON b.vote_id = v.id
      AND b.user_id = (SELECT id FROM users WHERE nickname = 'demo')"""
#: Of several votes the one that closes last, so that it stays what it is while tests run.
_LAST = "ORDER BY v.finished_at DESC, v.id LIMIT 1"


def find_vote(database: Path, situation: str) -> dict[str, Any]:
    """The number and the question of a vote in that situation; the demo has one for each."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute(f"{_VOTES} WHERE {SITUATIONS[situation]} {_LAST}").fetchone()
    assert row is not None, f"the demo has no vote that is {situation}"
    return dict(row)


def address(database: Path, path: str) -> str:
    """The path with numbers for the situations it names in braces; `{twin}` is an open question."""
    named = {name for name in SITUATIONS if f"{{{name}}}" in path}
    found = {name: find_vote(database, name)["id"] for name in named}
    if "{twin}" in path:
        asked = find_vote(database, "open")
        found["twin"] = "&".join(f"{name}={asked[name]}" for name in asked if name != "id")
    return path.format(**found)
