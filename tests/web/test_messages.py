"""A sentence for every refusal."""

import ast
from pathlib import Path

from app.domain.points import NotEnoughPoints
from app.messages import MESSAGES, message
from tests.web.conftest import Speaking

APP = Path(__file__).parent.parent.parent / "app"


def test_every_code_has_a_sentence() -> None:
    missing = sorted(codes() - MESSAGES.keys())

    assert missing == []


def test_sentence_speaks_the_readers_language(speaking: Speaking) -> None:
    poor = NotEnoughPoints(cost=10, balance=6)

    with speaking("ko"):
        assert message(poor.code, poor.params).startswith("고래밥이 4개 모자라요.")
    with speaking("en"):
        assert message(poor.code, poor.params).startswith("You need 4 more points")


def codes() -> set[str]:
    """Every code that a refusal in the rules or the services can carry."""
    trees = [
        ast.parse(path.read_text("utf-8"))
        for room in ("domain", "services")
        for path in (APP / room).rglob("*.py")
    ]
    calls = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return {code for call in calls for code in _codes_of(call)} | {"error", "not_found"}


def _codes_of(call: ast.Call) -> list[str]:
    names = {"InvalidInput": 1, "Conflict": 0, "__init__": 0}
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    wanted = call.args[names[name] :][:1] if name in names else []
    return [n.value for n in wanted if isinstance(n, ast.Constant) and isinstance(n.value, str)]
