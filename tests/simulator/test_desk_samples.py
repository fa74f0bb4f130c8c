"""The demo's accounts: what they hold, and what they may."""

from decimal import Decimal

from app.simulator import Simulator
from app.simulator.desk.samples import add_sample_accounts
from tests.simulator.signing import Client, name_of


def test_sample_accounts_can_be_looked_at_and_one_may_only_look() -> None:
    with Simulator(markets=30, rate_limit=None) as demo:
        add_sample_accounts(demo)
        upbit = Client(demo, "upbit", "DEMO-UPBIT-ACCESS-KEY-0001", "demo-upbit-secret-key-0001")
        other = Client(
            demo, "bithumb", "DEMO-BITHUMB-ACCESS-KEY-0001", "demo-bithumb-secret-key-0001"
        )
        viewer = Client(demo, "upbit", "DEMO-UPBIT-VIEW-ONLY-0002", "demo-upbit-secret-key-0002")
        rows = [one.get("/v1/accounts").json for one in (upbit, other, viewer)]
        refused = viewer.post("/v1/orders", {"market": "KRW-BTC"})

    held = [{row["currency"]: row for row in each} for each in rows]
    assert all(Decimal(each["KRW"]["balance"]) > 0 for each in held)
    assert Decimal(held[0]["BTC"]["avg_buy_price"]) > 0
    assert held[0]["OLDCOIN"]["avg_buy_price"] == "0"
    assert name_of(refused) == (403, "out_of_scope")


def test_sample_accounts_fit_a_world_with_few_markets() -> None:
    small = Simulator(markets=1)

    add_sample_accounts(small)

    assert "KRW" in small.balances("DEMO-UPBIT-ACCESS-KEY-0001")
