"""How fast we ask: even spacing, obedience to the headers, silence after a ban."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from app.exchanges.base import RateLimited
from app.exchanges.pacing import Gate, Pacer


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacer(clock: Clock) -> Pacer:
    return Pacer(clock=clock, sleep=clock.sleep)


def refusal(enter: Callable[[], None]) -> float:
    with pytest.raises(RateLimited) as caught:
        enter()
    return caught.value.retry_after_s


def throttle(gate: Gate, clock: Clock, times: int, status: int = 429) -> list[float]:
    pauses = []
    for _ in range(times):
        pauses.append(gate.answered(status, {}))
        clock.sleep(pauses[-1])
    return pauses


def test_calls_of_a_group_are_evenly_spaced_under_the_limit(pacer: Pacer, clock: Clock) -> None:
    gate = pacer.gate("ticker")
    moments = []
    for _ in range(20):
        gate.enter()
        moments.append(clock.now)

    assert {later - earlier for earlier, later in pairwise(moments)} == {0.125}


def test_groups_do_not_wait_for_each_other(pacer: Pacer, clock: Clock) -> None:
    for name in ("market", "ticker", "candles"):
        pacer.gate(name).enter()

    assert clock.now == 1000


def test_group_that_is_not_paced_has_no_gate(pacer: Pacer) -> None:
    with pytest.raises(KeyError):
        pacer.gate("orders")


def test_calls_long_apart_do_not_wait(pacer: Pacer, clock: Clock) -> None:
    pacer.gate("ticker").enter()
    clock.sleep(5)
    pacer.gate("ticker").enter()

    assert clock.now == 1005


@pytest.mark.parametrize(
    "header",
    [
        "group=candles; min=600; sec=0",
        "group=candles;min=600;sec=00",
        "Group = candles ; sec = 0",
        "min=1; x=y; group=candles; new=7; sec=0",
    ],
)
def test_used_up_second_is_waited_out(pacer: Pacer, clock: Clock, header: str) -> None:
    gate = pacer.gate("candles")
    gate.answered(200, {"Remaining-Req": header})
    gate.enter()

    assert clock.now == 1001


@pytest.mark.parametrize(
    "header",
    [
        *("group=candles; min=600; sec=9", "group=candles; min=0; sec=10", "", "sec=0", "rubbish"),
        *("group=default; min=1800; sec=0", "group=candles; sec=x", "group=; min=; sec="),
        "group=candles; sec=" + "9" * 5000,
    ],
)
def test_any_other_remaining_header_changes_nothing(
    pacer: Pacer, clock: Clock, header: str
) -> None:
    gate = pacer.gate("candles")
    gate.answered(200, {"Remaining-Req": header})
    gate.enter()

    assert clock.now == 1000


def test_used_up_second_ends_a_second_after_its_first_call(pacer: Pacer, clock: Clock) -> None:
    gate = pacer.gate("candles")
    for left in (3, 9, 8, 0):
        gate.answered(200, {"Remaining-Req": f"group=candles; min=600; sec={left}"})
        clock.sleep(0.1)
    gate.enter()

    assert clock.now == pytest.approx(1001.1)


def test_patient_calls_go_nearer_to_the_limit(pacer: Pacer, clock: Clock) -> None:
    gate = pacer.gate("candles", patient=True)
    for _ in range(96):
        gate.enter()

    assert clock.now == pytest.approx(1010)


def test_patient_calls_let_all_others_go_first(pacer: Pacer, clock: Clock) -> None:
    urgent, patient = pacer.gate("candles"), pacer.gate("candles", patient=True)
    urgent.enter()
    patient.enter()
    assert clock.now == 1000.5

    urgent.enter()

    assert clock.now == pytest.approx(1000.5 + 1 / 9.5)


def test_pace_that_is_set_higher_holds_for_patient_calls_too(clock: Clock) -> None:
    gate = Pacer(per_second=100, clock=clock, sleep=clock.sleep).gate("candles", patient=True)
    gate.enter()
    gate.enter()

    assert clock.now == pytest.approx(1000.01)


def test_header_holds_the_group_it_names(pacer: Pacer, clock: Clock) -> None:
    pacer.gate("market").answered(200, {"Remaining-Req": "group=ticker; min=600; sec=0"})

    pacer.gate("market").enter()
    assert clock.now == 1000
    pacer.gate("ticker").enter()
    assert clock.now == 1001


def test_429_backs_off_longer_each_time_up_to_a_bound(pacer: Pacer, clock: Clock) -> None:
    assert throttle(pacer.gate("ticker"), clock, 7) == [1, 2, 4, 8, 16, 16, 16]


def test_success_shrinks_the_back_off_step_by_step(pacer: Pacer, clock: Clock) -> None:
    gate = pacer.gate("ticker")
    throttle(gate, clock, 3)

    gate.answered(200, {})
    assert throttle(gate, clock, 1) == [4]
    for _ in range(9):
        gate.answered(200, {})
    assert throttle(gate, clock, 1) == [1]


def test_answers_that_were_under_way_together_are_one_offence(pacer: Pacer) -> None:
    gate = pacer.gate("ticker")

    assert [gate.answered(429, {}) for _ in range(4)] == [1, 1, 1, 1]
    assert [gate.answered(418, {}) for _ in range(4)] == [60, 60, 60, 60]


def test_short_back_off_is_waited_out_and_a_long_one_refused(pacer: Pacer, clock: Clock) -> None:
    gate = pacer.gate("ticker")
    throttle(gate, clock, 1)
    gate.answered(429, {})
    gate.enter()
    assert clock.now == 1003

    gate.answered(429, {})
    assert refusal(gate.enter) == 4
    assert clock.now == 1003


def test_429_holds_its_own_group_alone(pacer: Pacer, clock: Clock) -> None:
    pacer.gate("ticker").answered(429, {})
    pacer.gate("candles").enter()

    assert clock.now == 1000


def test_418_keeps_all_groups_quiet_without_waiting(pacer: Pacer, clock: Clock) -> None:
    assert pacer.gate("ticker").answered(418, {}) == 60

    clock.sleep(59)
    assert refusal(pacer.gate("market").enter) == 1
    assert clock.now == 1059
    clock.sleep(1)
    pacer.gate("market").enter()


def test_418_keeps_quiet_twice_as_long_each_time_up_to_an_hour(pacer: Pacer, clock: Clock) -> None:
    quiet = throttle(pacer.gate("ticker"), clock, 8, status=418)

    assert quiet == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_ban_is_forgotten_after_a_quiet_hour_and_not_before(pacer: Pacer, clock: Clock) -> None:
    gate = pacer.gate("ticker")
    throttle(gate, clock, 2, status=418)

    gate.answered(200, {})
    assert throttle(gate, clock, 1, status=418) == [240]
    clock.sleep(3601)
    gate.answered(200, {})
    assert throttle(gate, clock, 1, status=418) == [60]


@pytest.mark.parametrize(
    ("status", "header", "quiet_s"),
    [(429, "7", 7), (418, "300", 300), (418, "9" * 400, 3600), (429, "0", 1), (429, "soon", 1)],
)
def test_longer_wish_of_the_exchange_is_granted(
    pacer: Pacer, status: int, header: str, quiet_s: float
) -> None:
    assert pacer.gate("ticker").answered(status, {"Retry-After": header}) == quiet_s


def test_each_group_may_have_a_pace_of_its_own(clock: Clock) -> None:
    pacer = Pacer({"slow": 2.0, "quick": 4.0}, clock=clock, sleep=clock.sleep)
    began = clock()
    for name in ("slow", "slow", "quick", "quick", "quick"):
        pacer.gate(name).enter()

    assert clock() - began == 1.0


def test_first_pause_may_be_longer_and_doubles_from_there(clock: Clock) -> None:
    gate = Pacer(["any"], pause_s=40, clock=clock, sleep=clock.sleep).gate("any")

    assert throttle(gate, clock, 6) == [40, 80, 160, 320, 640, 640]


def test_threads_share_one_pace() -> None:
    gate = Pacer(per_second=100).gate("ticker")
    moments: list[float] = []

    def call_five_times() -> None:
        for _ in range(5):
            gate.enter()
            moments.append(time.monotonic())

    threads = [threading.Thread(target=call_five_times) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(moments) - min(moments) >= 0.28
