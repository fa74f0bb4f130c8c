"""A bot as its owner lives it, from the first key to the kill switch, over a killed server."""

import csv
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from sqlite3 import connect
from subprocess import Popen
from time import monotonic, sleep

import pytest
from playwright.sync_api import Browser, expect

from app.clock import utcnow
from app.simulator import Simulator
from app.simulator.desk.account import ASK, BID, Order
from app.simulator.desk.samples import add_sample_accounts
from app.web.desk.samples import SAMPLES
from tests.browser.test_backtests import ask as asks_for_backtest
from tests.browser.test_desk import links
from tests.browser.visitor import Visitor, visiting
from tests.serving import ROOT, serving

pytestmark = [pytest.mark.browser, pytest.mark.flow, pytest.mark.slow, pytest.mark.timeout(180)]

PAPER, LIVE = "/desk/bot", "/desk/bot?mode=live"
UPBIT, BITHUMB, _ = SAMPLES
MARKET, OWN_COINS = "KRW-BTC", Decimal("0.05")
#: Ahead of our own clock, by which cookies are signed. Upbit's day begins at midnight in UTC.
TOMORROW = utcnow().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
START = TOMORROW + timedelta(hours=20)
NIGHTS = [TOMORROW + timedelta(days=day) for day in (1, 2, 3)]
A_MOMENT = timedelta(seconds=10)
#: So many times as fast as ours goes the clock of this story, where nothing has to be seen exactly.
PACE = 5.0
DAYS_FOR_BACKTEST = 200
PATIENCE_S = 30.0


@dataclass(frozen=True)
class World:
    """An exchange with books of its own, and the clock that it shares with the server."""

    exchange: Simulator
    folder: Path

    def serving(self) -> AbstractContextManager[tuple[str, Popen[str]]]:
        """A life of the server; its database outlives it."""
        return serving(
            self.folder, str(self.folder / "clock"), program=ROOT / "tests" / "moved.py",
            UPBIT_URL=self.exchange.url, UPBIT_WS_URL=self.exchange.ws_url,
            BITHUMB_URL=self.exchange.bithumb_url, LIVE_TRADING="on",
        )  # fmt: skip

    def let_time_go(self, speed: float = PACE) -> None:
        """So many times as fast as it does for us."""
        self.exchange.set_speed(speed)
        told = json.dumps([self.exchange.now().isoformat(), monotonic(), speed])
        fresh = self.folder / "clock.new"
        fresh.write_text(told)
        fresh.replace(self.folder / "clock")

    def go_to(self, moment: datetime) -> None:
        """Let hours pass in a second or two, ever slower."""
        while (left := (moment - self.exchange.now()).total_seconds()) > 0:
            self.let_time_go(min(100_000.0, max(PACE, left / 0.2)))
            sleep(0.15)
        self.let_time_go()

    def days_known(self) -> int:
        """How many finished days of bitcoin the server holds."""
        with closing(connect(self.folder / "whaling.db")) as connection:
            query = """SELECT count(*) FROM candles JOIN coins ON coins.id = coin_id
                WHERE code = 'BTC' AND unit = 1440"""
            return int(connection.execute(query).fetchone()[0])

    @property
    def orders(self) -> list[Order]:
        """What the exchange took from the linked account, oldest first."""
        return self.exchange.orders(UPBIT.access)

    @property
    def sides(self) -> list[str]:
        return [one.side for one in self.orders]

    @property
    def coins(self) -> Decimal:
        pocket = self.exchange.balances(UPBIT.access)["BTC"]
        return pocket.free + pocket.locked


def test_bot_lives_from_a_linked_account_to_the_kill_switch(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator(markets=6, rate_limit=None, start=START) as exchange:
        add_sample_accounts(exchange)
        monkeypatch.setattr("app.simulator.desk.desk.utcnow", exchange.now)
        exchange.set_price(MARKET, exchange.price(MARKET, TOMORROW) * 99 // 100)  # below any target
        world = World(exchange, tmp_path)
        world.let_time_go()
        with visiting(browser, "") as owner:
            with world.serving() as (owner.url, process):
                owner.sign_up("ahab")
                links_both_accounts(owner)
                k = searches_k(owner, world)
                starts_on_paper(owner)
                is_refused_before_the_yeses(owner, world)
                says_all_three_yeses(owner)
                starts_live_with_limits(owner, world, k)

                buys_above_the_target(owner, world)
                sells_when_the_day_of_the_exchange_begins(owner, world)
                buys_above_the_target(owner, world)
                sells_at_the_stop(owner, world)
                tells_live_beside_paper(owner, world)

                is_killed_with_an_order_in_the_air(owner, world, process)
            with world.serving() as (owner.url, _):
                goes_on_with_what_it_bought(owner, world)
                is_switched_off_for_good(owner, world)


def links_both_accounts(owner: Visitor) -> None:
    """What each holds comes by itself, also a coin that no market knows."""
    for number, keys, coin in ((1, UPBIT, "OLDCOIN"), (2, BITHUMB, "SOL")):
        links(owner, keys)
        comes_to_say(owner, f"/desk?account={number}", coin)


def searches_k(owner: Visitor, world: World) -> str:
    """A backtest of the coin; its k is taken over into the settings of the bot on paper."""
    waits_until(lambda: world.days_known() >= DAYS_FOR_BACKTEST)
    asks_for_backtest(owner)
    expect(owner.page.locator("#h-eq")).to_be_visible()
    owner.page.get_by_role("link", name="이 k로 자동 거래 정하기").click()
    assert owner.page.input_value("#codes") == "BTC"
    k = owner.page.input_value("#k")
    owner.submit("form:has(#codes)")
    owner.sees("설정을 저장했어요.")
    return k


def starts_on_paper(owner: Visitor) -> None:
    presses(owner, PAPER, "/desk/bot/start")
    owner.sees("모의 거래 중이에요. 진짜 돈은 쓰지 않아요")


def is_refused_before_the_yeses(owner: Visitor, world: World) -> None:
    presses(owner, LIVE, "/desk/bot/start?mode=live")
    owner.sees("주문 권한이 확인된 열쇠가 있어야 해요. 계좌를 다시 확인해 주세요.")
    owner.sees("실거래가 꺼져 있어요")
    assert world.orders == []


def says_all_three_yeses(owner: Visitor) -> None:
    owner.go("/desk/bot/real")
    owner.page.check("#account-1")
    owner.submit("form[action='/desk/bot/real/account']")
    owner.page.fill("#sentence", owner.say("진짜 돈으로 거래하는 데 동의합니다"))
    owner.submit("form:has(#sentence)")
    owner.page.wait_for_url(f"**{LIVE}")
    expect(owner.page.locator(".wl-stages .done")).to_have_count(3)


def starts_live_with_limits(owner: Visitor, world: World, k: str) -> None:
    """With the k of the bot on paper, so that both have the same signals."""
    owner.go("/desk/bot/settings?mode=live")
    limits = {"k": k, "share": "30", "per_order": "200000", "per_day": "300000"}
    for name, amount in limits.items():
        owner.page.fill(f"#{name}", amount)
    owner.submit("form:has(#codes)")
    presses(owner, LIVE, "/desk/bot/start?mode=live")
    owner.sees("실거래 중이에요. 진짜 돈을 써요")
    assert world.orders == []


def buys_above_the_target(owner: Visitor, world: World) -> None:
    """Once, for what its limit allows, on the signal that the page tells."""
    before = len(world.orders)
    world.exchange.set_price(MARKET, target_of(owner) + 10_000)

    comes_to_say(owner, LIVE, "샀어요", part="bot-targets")
    comes_to_say(owner, PAPER, "샀어요", part="bot-targets")

    bought = world.orders[before:]
    assert [one.side for one in bought] == [BID]
    assert 0 < bought[0].executed_funds <= 200_000
    assert world.coins == OWN_COINS + bought[0].executed_volume
    books_agree(owner, world)


def sells_when_the_day_of_the_exchange_begins(owner: Visitor, world: World) -> None:
    """Not a second before, and all that it bought, but nothing of what was there."""
    midnight = next(one for one in NIGHTS if one > world.exchange.now())
    world.go_to(midnight - A_MOMENT)
    assert world.sides == [BID]
    assert world.exchange.now() < midnight

    comes_to_say(owner, LIVE, "하루가 끝나서 팔아요", part="bot-log")
    waits_until(lambda: world.sides == [BID, ASK])

    bought, sold = world.orders
    assert midnight <= sold.at < midnight + timedelta(minutes=2)
    assert sold.volume == bought.executed_volume
    books_agree(owner, world)
    assert world.coins == OWN_COINS


def sells_at_the_stop(owner: Visitor, world: World) -> None:
    last = world.exchange.price(MARKET, world.exchange.now())
    world.exchange.set_price(MARKET, last * 96 // 100)

    comes_to_say(owner, LIVE, "손절해요", part="bot-log")
    waits_until(lambda: world.sides == [BID, ASK, BID, ASK])

    books_agree(owner, world)
    assert world.coins == OWN_COINS


def tells_live_beside_paper(owner: Visitor, world: World) -> None:
    """Both had the same signals; what they gained stands beside buying and waiting."""
    comes_to_say(owner, PAPER, "손절해요", part="bot-log")
    world.let_time_go(100.0)  # what a run is worth is noted every five minutes
    comes_to_say(owner, LIVE, "사서 들고 있기", part="bot-standing")
    world.let_time_go()
    owner.sees("같은 신호의 모의 거래보다 나쁘게")
    expect(owner.page.locator("[data-live=bot-standing] path.line-brand")).to_have_count(1)


def is_killed_with_an_order_in_the_air(owner: Visitor, world: World, process: Popen[str]) -> None:
    midnight = next(one for one in NIGHTS if one > world.exchange.now())
    world.go_to(midnight + A_MOMENT)
    price = target_of(owner) + 10_000
    owner.page.goto("about:blank")  # or it would complain of a server that is gone
    world.exchange.fault("slow_fill", for_s=60, group="order", seconds=3)
    world.exchange.set_price(MARKET, price)
    waits_until(lambda: len(world.orders) == 5, every_s=0.01)

    process.kill()

    assert world.orders[-1].is_open
    world.exchange.clear_faults()


def goes_on_with_what_it_bought(owner: Visitor, world: World) -> None:
    """The order is found at the exchange and not sent again; the run is the same one."""
    comes_to_say(owner, LIVE, "샀어요", part="bot-targets")

    owner.sees("실거래 중이에요. 진짜 돈을 써요")
    assert world.sides == [BID, ASK, BID, ASK, BID]
    books_agree(owner, world)


def is_switched_off_for_good(owner: Visitor, world: World) -> None:
    """What the bot bought is sold, nothing else; the next day's signal finds nobody."""
    owner.go(LIVE)
    owner.page.check("#sells")
    owner.submit("form[action='/desk/bot/halt?mode=live']")
    owner.sees("모두 멈췄어요. 새 주문은 나가지 않아요.")
    comes_to_say(owner, LIVE, "모두 멈추면서 팔아요", part="bot-log")
    waits_until(lambda: world.sides == [BID, ASK, BID, ASK, BID, ASK])
    books_agree(owner, world)
    assert world.coins == OWN_COINS

    world.go_to(NIGHTS[-1] + A_MOMENT)
    last = world.exchange.price(MARKET, world.exchange.now())
    world.exchange.set_price(MARKET, last * 105 // 100)
    comes_to_say(owner, LIVE, f"{last * 105 // 100:,}", part="bot-targets")
    sleep(2)

    assert len(world.orders) == 6
    comes_to_say(owner, LIVE, "모두 멈췄어요")


def presses(owner: Visitor, path: str, deed: str) -> None:
    """The button of a page that does this."""
    owner.go(path)
    owner.submit(f"form[action='{deed}']")


def target_of(owner: Visitor) -> Decimal:
    """Today's target as the page tells it; whoever looks at a coin has its candles at once."""
    owner.go("/coins/BTC")

    def told() -> str:
        owner.go(LIVE)
        return owner.page.locator("[data-live=bot-targets] tbody td:nth-of-type(3)").inner_text()

    waits_until(lambda: told() != "–", every_s=0.3)
    return Decimal(told().replace(",", ""))


def comes_to_say(owner: Visitor, path: str, text: str, *, part: str = "") -> None:
    """Look at a page again and again until it says so."""
    until, said = monotonic() + PATIENCE_S, ""
    while text not in said:
        assert monotonic() < until, f"{path} never said {text!r}, but {said!r}"
        sleep(0.3)
        owner.go(path)
        said = owner.page.locator(f"[data-live={part}]" if part else "main").inner_text()


def waits_until(is_so: Callable[[], bool], *, every_s: float = 0.1) -> None:
    until = monotonic() + PATIENCE_S
    while not is_so():
        assert monotonic() < until, "it never came"
        sleep(every_s)


def books_agree(owner: Visitor, world: World) -> None:
    """Every order of the exchange stands in our own file, and none else, with the same figures."""
    owner.go(LIVE)
    with owner.page.expect_download() as file:
        owner.page.locator("a[href='/desk/bot/orders.csv?mode=live']").click()
    rows = csv.DictReader(Path(file.value.path()).read_text("utf-8-sig").splitlines())
    figures = ("executed_volume", "executed_funds", "paid_fee")

    ours = [(row["client_id"], *(Decimal(row[name]) for name in figures)) for row in rows]
    theirs = [(one.name, *(getattr(one, name) for name in figures)) for one in world.orders]

    assert sorted(ours) == sorted(theirs)
    assert not any(one.is_open for one in world.orders)
