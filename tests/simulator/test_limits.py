"""Requests per group and second, bans, the Origin rule."""

import pytest

from app.simulator import Simulator
from app.simulator.limits import STRIKES, RateLimits
from tests.simulator.clients import ask

ME = "127.0.0.1"


def statuses(limits: RateLimits, count: int, moment: float, group: str = "ticker") -> list[int]:
    return [limits.check(ME, group, moment).status for _ in range(count)]


def test_ten_in_a_second_pass_and_the_eleventh_does_not() -> None:
    assert statuses(RateLimits(10), 12, 5.0) == [200] * 10 + [429] * 2


def test_next_second_starts_anew() -> None:
    limits = RateLimits(10)
    statuses(limits, 15, 5.99)

    assert statuses(limits, 1, 6.0) == [200]


def test_groups_and_callers_are_counted_apart() -> None:
    limits = RateLimits(1)
    statuses(limits, 2, 5.0, "ticker")

    assert statuses(limits, 1, 5.0, "candles") == [200]
    assert limits.check("10.0.0.9", "ticker", 5.0).status == 200


def test_remaining_counts_down_to_zero() -> None:
    limits = RateLimits(3)

    left = [limits.check(ME, "candles", 5.0).remaining_req for _ in range(4)]

    assert left == [f"group=candles; min=600; sec={number}" for number in (2, 1, 0, 0)]


def test_going_on_after_429_is_banned_in_all_groups() -> None:
    limits = RateLimits(1)
    seen = statuses(limits, 2 + STRIKES, 5.0)

    assert seen == [200] + [429] * STRIKES + [418]
    assert statuses(limits, 1, 14.9, "market") == [418]
    assert statuses(limits, 1, 15.0, "market") == [200]


def test_each_ban_lasts_twice_as_long() -> None:
    limits, moment, blocks = RateLimits(1), 5.0, []
    for _ in range(3):
        verdicts = [limits.check(ME, "ticker", moment) for _ in range(2 + STRIKES)]
        blocks.append(verdicts[-1].blocked_s)
        moment += blocks[-1]

    assert blocks == [10, 20, 40]


def test_strikes_are_forgotten_after_ten_quiet_seconds() -> None:
    limits = RateLimits(1)
    statuses(limits, STRIKES + 1, 5.0)

    assert statuses(limits, 2, 15.5) == [200, 429]


@pytest.mark.parametrize("unlimited", [0, None])
def test_no_limit_never_refuses(unlimited: int | None) -> None:
    assert set(statuses(RateLimits(unlimited), 500, 5.0)) == {200}


def test_page_in_a_browser_gets_one_request_in_ten_seconds() -> None:
    limits = RateLimits(10)

    seen = [limits.check(ME, "ticker", moment, origin=True) for moment in (5.0, 14.9, 15.0)]

    assert [verdict.status for verdict in seen] == [200, 429, 200]
    assert seen[0].group == "origin"


def test_callers_are_forgotten_when_there_are_too_many() -> None:
    limits = RateLimits(1)
    limits.check(ME, "ticker", 5.0)
    for number in range(1_000):
        limits.check(f"10.0.{number // 256}.{number % 256}", "ticker", 5.0)

    assert limits.check(ME, "ticker", 5.0).status == 200


def test_burst_over_the_wire_meets_429_without_retry_after() -> None:
    with Simulator(markets=2, rate_limit=3) as sim:
        answers = [ask(sim, "/v1/market/all") for _ in range(12)]

    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].text == "Too many API requests."
    assert "Retry-After" not in refused[0].headers
    assert refused[0].headers["Remaining-Req"] == "group=market; min=600; sec=0"


def test_origin_header_over_the_wire_is_limited() -> None:
    with Simulator(markets=2) as sim:
        page = {"Origin": "https://example.org"}
        answers = [ask(sim, "/v1/market/all", headers=page) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 429]
