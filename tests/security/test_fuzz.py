"""What a stranger's program finds in the API: thousands of generated requests to a real server.

Not part of `make test`; `make check` runs it. FUZZ_EXAMPLES sets how many cases an operation gets.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from app.clock import monotonic, utcnow
from app.models import User
from app.services import tokens
from app.wiring import token_key
from tests import factories as make
from tests.browser.stage import on_stage
from tests.conftest import MakeApp
from tests.fake_kakao import FakeKakao

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SEED = 20260302
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
#: Of each of the two runs, so that both together are 10,000 and more.
LEAST_CASES = 5_000 if EXAMPLES >= 200 else 500
OPENAPI = "/api/v1/openapi.json"
#: Not breaches: the contract passes over what it doesn't know, and a sound body may be refused.
NOT_OURS = ("negative_data_rejection", "positive_data_acceptance")
_REFRESH_S = 20.0
_LAST_DEEDS = re.compile(r"/auth/logout|/user/(leave|password|sessions/)")

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@dataclass
class Watched:
    """The application with a doorman, who counts, keeps the price fresh, and lends a token.

    Whoever ends a session, leaves or changes the password does so with a token of somebody else, or
    all further requests would be a stranger's.
    """

    app: Flask
    access: str
    statuses: Counter[str] = field(default_factory=Counter)
    _priced: float = 0.0

    def __post_init__(self) -> None:
        self._inner, self.app.wsgi_app = self.app.wsgi_app, self  # type: ignore[method-assign]

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        self._keep_price()
        own = environ.get("HTTP_AUTHORIZATION") == f"Bearer {self.access}"
        if own and _LAST_DEEDS.search(environ["PATH_INFO"]):
            with self.app.app_context():
                environ["HTTP_AUTHORIZATION"] = f"Bearer {token(make.make_user(now=utcnow()))}"

        def counted(status: str, *rest: object) -> object:
            self.statuses[status[:3]] += 1
            return start(status, *rest)  # type: ignore[arg-type]

        return self._inner(environ, counted)  # type: ignore[arg-type]

    def _keep_price(self) -> None:
        if monotonic() - self._priced > _REFRESH_S:
            self._priced = monotonic()
            with self.app.app_context():
                make.set_price("BTC", "100", at=utcnow())


@dataclass
class Findings:
    """What a run did and what it found wrong."""

    cases: Counter[str] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)


def token(user: User) -> str:
    pair = tokens.issue(user_id=user.id, device="fuzz", key=token_key(), now=utcnow())
    return pair.access


@pytest.fixture
def kakao() -> Iterator[FakeKakao]:
    with FakeKakao() as server:
        yield server


@pytest.fixture
def watched(make_app: MakeApp, kakao: FakeKakao) -> Watched:
    """A vote and a rich person, whose token is `access`."""
    back = ("https://client.example/oauth",)
    app = make_app(**kakao.settings(), kakao_redirect_uris=back)
    with app.app_context():
        rich = make.make_user("alice", points=10**9, now=utcnow())
        make.make_vote(rich, now=utcnow())
        return Watched(app, token(rich))


def run(address: str, described: dict[str, Any], access: str) -> Findings:
    """All phases over all operations; with the token where there is one."""
    schemathesis = pytest.importorskip("schemathesis")
    config = {
        "base-url": address,
        "seed": SEED,
        "workers": 1,
        "generation": {"max-examples": EXAMPLES, "database": "none", "no-shrink": True},
        "checks": {name: {"enabled": False} for name in NOT_OURS},
    }
    if access:
        config["headers"] = {"Authorization": f"Bearer {access}"}
    parsed = schemathesis.config.SchemathesisConfig.from_dict(config)
    # Given as it is: asked for by its address, it would leave that address out of the run.
    schema = schemathesis.openapi.from_dict(described, config=parsed)
    found = Findings()
    for event in schemathesis.engine.from_schema(schema).execute():
        note(event, found)
    return found


def note(event: SimpleNamespace, found: Findings) -> None:
    """Count the cases of a finished scenario, and keep what failed in it."""
    kind = type(event).__name__
    if kind in ("NonFatalError", "FatalError"):
        found.wrong[f"{kind} {getattr(event, 'label', '')}"] = repr(event)
    if kind != "ScenarioFinished":
        return
    found.cases[event.phase.value] += len(event.recorder.cases)
    found.operations |= {node.value.operation.label for node in event.recorder.cases.values()}
    for case, checks in event.recorder.checks.items():
        interaction = event.recorder.interactions.get(case)
        if not is_no_http(interaction and interaction.response):
            found.wrong |= {
                f"{event.label} {check.name} {check.failure_info.failure.title}": str(
                    (check.failure_info.failure.message, check.failure_info.code_sample)
                )
                for check in checks
                if check.failure_info is not None
            }


def is_no_http(response: SimpleNamespace | None) -> bool:
    """Whether the web server refused the request before it came to us, for a header that is none.

    Every answer of ours carries a number. A failure of the server itself is never passed over, but
    501 is the right answer to an unknown transfer coding.
    """
    if response is None or (response.status_code >= 500 and response.status_code != 501):
        return False
    return "x-request-id" not in {name.lower() for name in response.headers}


@pytest.mark.parametrize("who", ["signed in", "signed out"])
def test_no_generated_request_breaks_the_description(
    watched: Watched, tmp_path: Path, who: str, record_property: Callable[[str, object], None]
) -> None:
    with on_stage(watched.app, None, tmp_path / "test.db") as stage:
        described = stage.app.test_client().get(OPENAPI).get_json()
        found = run(stage.url, described, watched.access if who == "signed in" else "")

    record_property("cases", dict(found.cases) | dict(watched.statuses))
    assert found.wrong == {}
    assert {status for status in watched.statuses if status >= "500"} == set()
    assert found.operations == {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert all(found.cases[phase] for phase in ("examples", "coverage", "fuzzing", "stateful"))
    assert sum(found.cases.values()) >= LEAST_CASES
    assert watched.statuses["201"] > 0
    assert (watched.statuses["200"] > watched.statuses["401"]) == (who == "signed in")
