"""The known defects of the originals (list E of the contract), each shown to be absent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread

from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.domain.market import BadRow
from app.extensions import db
from app.models import User
from app.services import accounts, market, points, votes
from tests import factories as make
from tests.api.conftest import Client, SignIn, code_of, first_field
from tests.fakes import FakeMarket

NEW_VOTE = {"coin_code": "BTC", "duration": "day", "range": 5, "comment": "up"}


def books_are_right() -> bool:
    return list(points.audit()) == []


def at_once(app: Flask, deeds: list[Callable[[], int]]) -> list[int]:
    """The statuses of requests that all start at the same moment."""
    barrier, statuses = Barrier(len(deeds)), []

    def run(deed: Callable[[], int]) -> None:
        barrier.wait()
        statuses.append(deed())

    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The reading statements that reach the database inside the block."""
    seen: list[str] = []

    def note(*args: object) -> None:
        if str(args[2]).startswith("SELECT"):
            seen.append(str(args[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


@contextmanager
def breaking(deed: str) -> Iterator[None]:
    """Inside the block the database fails at a deed like `UPDATE ON votes`, and not before."""
    session = db.session()
    trap = f"CREATE TRIGGER broken AFTER {deed} BEGIN DELETE FROM nowhere; END"  # noqa: S608
    session.execute(text(trap))
    session.commit()
    yield
    session.execute(text("DROP TRIGGER broken"))
    session.commit()


def prices(client: Client) -> dict[str, float]:
    found = client.get("/tracker/coins").get_json()
    return {coin["coin_code"]: coin["cur_price"] for coin in found}


def test_e01_answer_after_the_deadline_is_refused(as_bob: Client, alice: User) -> None:
    late = make.make_vote(alice, now=utcnow() - timedelta(hours=9))
    settled = make.make_settled_vote(alice, now=utcnow())

    for vote in (late, settled):
        response = as_bob.post(f"/votes/{vote.id}/choice/", {"choice": 1})
        assert response.status_code == 400
        assert code_of(response) == "vote_closed"

    assert as_bob.get("/user").get_json()["point"] == 300


def test_e02_parallel_answers_of_one_person_count_once(
    app: Flask, sign_in: SignIn, alice: User, bob: User
) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id
    clients = [sign_in(bob) for _ in range(8)]

    def answer(client: Client) -> Callable[[], int]:
        return lambda: client.post(f"/votes/{vote_id}/choice/", {"choice": 1}).status_code

    assert at_once(app, [answer(client) for client in clients]) == [201] + [400] * 7
    assert books_are_right()


def test_e03_parallel_requests_cannot_spend_the_same_points(
    app: Flask, sign_in: SignIn, alice: User
) -> None:
    ids = [make.make_vote(alice, now=utcnow()).id for _ in range(4)]
    poor = make.make_user("poor", points=10)
    clients = [sign_in(poor) for _ in ids]

    def answer(client: Client, vote_id: int) -> Callable[[], int]:
        return lambda: client.post(f"/votes/{vote_id}/choice/", {"choice": 1}).status_code

    deeds = [answer(client, vote_id) for client, vote_id in zip(clients, ids, strict=True)]
    assert at_once(app, deeds) == [201, 400, 400, 400]
    assert clients[0].get("/user").get_json()["point"] == 0
    assert books_are_right()


def test_e04_parallel_answers_of_many_are_all_counted(
    app: Flask, sign_in: SignIn, alice: User
) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id
    clients = [sign_in(make.make_user()) for _ in range(8)]

    def answer(client: Client) -> Callable[[], int]:
        return lambda: client.post(f"/votes/{vote_id}/choice/", {"choice": 2}).status_code

    assert at_once(app, [answer(client) for client in clients]) == [201] * 8
    assert clients[0].get(f"/votes/{vote_id}").get_json()["neg_participants"] == 8


def test_e05_answer_that_breaks_half_way_leaves_the_books_as_they_were(
    app: Flask, as_bob: Client, alice: User
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    vote_id = make.make_vote(alice, now=utcnow()).id

    with breaking("UPDATE ON votes"):
        broken = as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 1})

    assert (broken.status_code, code_of(broken)) == (500, "internal_error")
    assert as_bob.get("/user").get_json()["point"] == 300
    assert as_bob.get(f"/votes/{vote_id}").get_json()["total_participants"] == 0
    assert books_are_right()
    assert as_bob.post(f"/votes/{vote_id}/choice/", {"choice": 1}).status_code == 201


def test_e06_choice_must_be_1_or_2(as_bob: Client, alice: User) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id

    for wrong in (None, 0, 3, -1, True, "1", 1.0, [1], {}):
        response = as_bob.post(f"/votes/{vote_id}/choice/", {"choice": wrong})
        assert (response.status_code, first_field(response)) == (400, "choice")
    assert as_bob.post(f"/votes/{vote_id}/choice/", {}).status_code == 400

    assert as_bob.get(f"/votes/{vote_id}").get_json()["total_participants"] == 0


def test_e07_patch_nickname_ignores_points(as_alice: Client) -> None:
    greedy = {"nickname": "neo", "point": 9999, "acc_percent": 100, "is_staff": True}

    assert as_alice.patch("/user/nickname", greedy).status_code == 200

    found = as_alice.get("/user").get_json()
    assert (found["nickname"], found["point"], found["acc_percent"]) == ("neo", 300, 0)
    assert found["is_admin"] is False


def test_e08_nickname_check_is_409_only_when_taken(as_alice: Client) -> None:
    for body in ({}, {"nickname": ""}, {"nickname": "x" * 21}, {"nickname": 7}):
        assert as_alice.post("/user/nickname/check", body).status_code == 400


def test_e10_nicknames_are_the_same_whatever_their_case_or_form(
    as_alice: Client, bob: User
) -> None:
    for name in ("BOB", " bob ", "ＢＯＢ"):
        assert as_alice.post("/user/nickname/check", {"nickname": name}).status_code == 409
        assert as_alice.patch("/user/nickname", {"nickname": name}).status_code == 400


def test_e11_accuracy_is_zero_while_nothing_is_settled(as_alice: Client) -> None:
    assert as_alice.get("/acc-percent").get_json() == {"acc_percent": "0.0"}


def test_e12_prices_below_one_won_are_exact(as_alice: Client) -> None:
    make.make_coin(price="0.00000001", observed_at=utcnow())

    made = as_alice.post("/votes/", NEW_VOTE).get_json()["vote_id"]

    assert b'"created_price":0.00000001,' in as_alice.get(f"/votes/{made}").data


def test_e13_price_goes_to_its_coin_whatever_else_is_missing(stranger: Client) -> None:
    for code in ("ADA", "BTC", "ETH"):
        make.make_coin(code, price="100")
    now = make.NOW + timedelta(minutes=1)
    told = [make.make_ticker(code, price, at=now) for code, price in (("ETH", "97"), ("ADA", "99"))]

    market.store_tickers(market=FakeMarket(*told), now=now)

    assert prices(stranger) == {"ADA": 99, "BTC": 100, "ETH": 97}


def test_e15_row_that_cannot_be_read_spoils_no_other(stranger: Client) -> None:
    for code in ("ADA", "BTC"):
        make.make_coin(code, price="100")
    now = make.NOW + timedelta(minutes=1)
    answered = FakeMarket(make.make_ticker("ADA", "99", at=now))
    answered.bad = (BadRow("KRW-BTC", "trade_price is NaN"),)

    market.store_tickers(market=answered, now=now)

    assert prices(stranger) == {"ADA": 99, "BTC": 100}


def test_e18_settling_again_pays_nobody_again(as_bob: Client, alice: User, bob: User) -> None:
    vote = make.make_vote(alice, now=utcnow() - timedelta(days=1))
    make.answer(bob, vote, "yes")
    make.close(vote)

    settled = [make.settle(vote, "110") for _ in range(2)]

    assert settled == [True, False]
    assert as_bob.get("/user").get_json()["point"] == 310
    assert books_are_right()


def test_e20_delisted_coin_takes_no_new_votes(as_alice: Client, stranger: Client) -> None:
    make.make_coin(observed_at=utcnow(), delisted_at=utcnow())

    response = as_alice.post("/votes/", NEW_VOTE)

    assert (response.status_code, code_of(response)) == (400, "coin_inactive")
    assert first_field(response) == "coin_code"
    assert stranger.get("/coins").get_json() == []
    assert stranger.get("/coins/BTC").get_json()["is_active"] is False


def test_e21_old_price_starts_no_vote_and_charges_nothing(as_alice: Client) -> None:
    make.make_coin(observed_at=utcnow() - timedelta(seconds=95))

    response = as_alice.post("/votes/", NEW_VOTE)

    assert (response.status_code, code_of(response)) == (503, "price_not_fresh")
    assert response.headers["Retry-After"] == "60"
    assert as_alice.get("/user").get_json()["point"] == 300


def test_e22_votes_nobody_answered_do_not_lift_the_accuracy(
    as_bob: Client, alice: User, bob: User
) -> None:
    now = utcnow()
    make.make_settled_vote(alice, now=now)
    vote = make.make_vote(alice, now=now - timedelta(days=1))
    make.answer(bob, vote, "no")
    make.settle(make.close(vote), "110", now=now)
    points.platform_counts.forget()

    assert as_bob.get("/acc-percent").get_json() == {"acc_percent": "0.0"}


def test_e23_rise_that_floats_would_miss_is_reached(as_bob: Client, alice: User, bob: User) -> None:
    make.make_coin(price="0.1")
    vote = make.make_vote(alice, range_pct=10, now=utcnow() - timedelta(days=1))
    make.answer(bob, vote, "yes")

    make.settle(make.close(vote), "0.11")

    assert 0.11 < 0.1 * 1.1
    assert as_bob.get(f"/votes/{vote.id}").get_json()["user"]["is_answer"] is True


def test_e24_fall_of_a_hundred_percent_is_refused(as_alice: Client, coin: str) -> None:
    fall = NEW_VOTE | {"comment": "down"}

    assert as_alice.post("/votes/", fall | {"range": 100}).status_code == 400
    assert as_alice.post("/votes/", fall | {"range": 99}).status_code == 201


def test_e25_one_lucky_answer_makes_no_whale(app: Flask, sign_in: SignIn, alice: User) -> None:
    app.config["WHALING_WHALE_MIN_SETTLED"] = 10
    vote = make.make_vote(alice, now=utcnow())
    lucky, whale = (sign_in(make.make_user(record=record)) for record in ((1, 1), (7, 10)))

    for client in (lucky, whale):
        client.post(f"/votes/{vote.id}/choice/", {"choice": 1})

    assert not lucky.get("/user").get_json()["is_whale"]
    assert whale.get(f"/votes/{vote.id}").get_json()["pos_whales"] == 1


def test_e26_one_may_answer_ones_own_vote(as_alice: Client, coin: str) -> None:
    made = as_alice.post("/votes/", NEW_VOTE).get_json()["vote_id"]

    assert as_alice.post(f"/votes/{made}/choice/", {"choice": 1}).status_code == 201


def test_e27_whales_are_hidden_until_one_answered(
    as_bob: Client, sign_in: SignIn, alice: User
) -> None:
    vote = make.make_vote(alice, now=utcnow())
    make.answer(make.make_user("whale", record=(9, 10)), vote, now=utcnow())

    before = as_bob.get(f"/votes/{vote.id}").get_json()
    as_bob.post(f"/votes/{vote.id}/choice/", {"choice": 2})
    after = as_bob.get(f"/votes/{vote.id}").get_json()

    assert (before["pos_whales"], before["pos_participants"]) == (0, 1)
    assert after["pos_whales"] == 1


def test_e28_unknown_vote_is_404_and_a_form_415(as_bob: Client, alice: User) -> None:
    vote_id = make.make_vote(alice, now=utcnow()).id

    for wrong in ("999", str(2**63), str(10**30), "abc", "-1", "1.5", "%00"):
        response = as_bob.post(f"/votes/{wrong}/choice/", {"choice": 1})
        assert (response.status_code, code_of(response)) == (404, "not_found")
    form = as_bob.post(f"/votes/{vote_id}/choice/", data={"choice": "1"})
    assert (form.status_code, code_of(form)) == (415, "media_type_not_supported")


def test_e29_only_access_tokens_of_living_people_pass(as_alice: Client, alice: User) -> None:
    access = as_alice.access
    as_alice.access = as_alice.refresh
    assert as_alice.post("/auth/token/verify").status_code == 401

    as_alice.access = access
    accounts.sign_out_everywhere(user_id=alice.id)
    assert as_alice.post("/auth/token/verify").status_code == 401


def test_e30_refresh_ends_with_signing_out(
    stranger: Client, as_alice: Client, sign_in: SignIn, bob: User
) -> None:
    as_bob = sign_in(bob)

    as_alice.post("/auth/logout")
    as_bob.post("/auth/logout-all")

    for client in (as_alice, as_bob):
        response = stranger.post("/auth/token/refresh", {"refresh_token": client.refresh})
        assert response.status_code == 401


def test_e32_sign_up_that_breaks_is_told_and_leaves_nobody(app: Flask, stranger: Client) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    neo = {"nickname": "neo", "password": "a long password"}

    with breaking("INSERT ON ledger_entries"):
        broken = stranger.post("/auth/local/signup", neo)

    assert (broken.status_code, code_of(broken)) == (500, "internal_error")
    assert stranger.post("/auth/local", neo).status_code == 401
    assert stranger.post("/auth/local/signup", neo).status_code == 201


def test_e33_list_takes_as_many_queries_for_fifty_votes_as_for_one(
    as_alice: Client, session: Session
) -> None:
    rich = make.make_user("rich", points=10_000)
    make.make_vote(rich, now=utcnow())
    with counted_queries() as few:
        as_alice.get("/votes")
    for _ in range(49):
        make.make_vote(rich, now=utcnow())

    with counted_queries() as many:
        found = as_alice.get("/votes").get_json()

    assert len(found) == 50
    assert len(many) == len(few) <= 3


def test_e33_paging_is_an_addition(as_alice: Client, alice: User) -> None:
    ids = [make.make_vote(alice, now=utcnow()).id for _ in range(5)]

    seen, address = [], "/votes?limit=2"
    while address:
        response = as_alice.get(address)
        seen += [vote["vote_id"] for vote in response.get_json()]
        address = response.headers.get("Link", "").partition(">")[0].lstrip("<")

    assert seen == ids[::-1]


def test_e33_popular_pages_meet_without_gap(as_alice: Client, alice: User, bob: User) -> None:
    ids = [make.make_vote(alice, now=utcnow()).id for _ in range(4)]
    for vote_id in ids[1:3]:
        make.answer(bob, make.reload(vote_id), now=utcnow())

    first = as_alice.get("/votes?limit=3&sort=popular")
    address = first.headers["Link"].partition(">")[0].lstrip("<")
    rest = as_alice.get(address).get_json()

    found = [vote["vote_id"] for vote in [*first.get_json(), *rest]]
    assert found == [ids[2], ids[1], ids[3], ids[0]]


def test_e33_limit_that_cannot_be_is_refused(as_alice: Client) -> None:
    for limit in ("0", "501", "x", "", "-1", "1e2", "٣"):
        response = as_alice.get("/votes", query_string={"limit": limit})
        assert (response.status_code, first_field(response)) == (400, "limit")


def test_e33_cursor_that_is_not_ours_is_refused(as_alice: Client) -> None:
    for cursor in ("x", "1", "1.", ".1", "1.2.3", "٣.٣", f"1.{10**20}"):
        response = as_alice.get("/votes", query_string={"cursor": cursor})
        assert (response.status_code, code_of(response)) == (400, "cursor_invalid")


def test_e35_coins_and_prices_come_from_one_source(stranger: Client, coin: str) -> None:
    [chosen], [tracked] = (
        stranger.get("/coins").get_json(),
        stranger.get("/tracker/coins").get_json(),
    )

    assert (chosen["code"], chosen["krname"], chosen["image"]) == (
        tracked["coin_code"], tracked["coin_name"], tracked["coin_image"],
    )  # fmt: skip


def test_e37_age_of_a_price_is_told_in_full(stranger: Client) -> None:
    make.make_coin(observed_at=make.NOW)

    [coin] = stranger.get("/tracker/coins").get_json()

    assert coin["observed_at"] == "2026-03-02T03:04:30Z"


def test_e38_ledger_says_where_points_came_from(as_alice: Client, coin: str) -> None:
    made = as_alice.post("/votes/", NEW_VOTE).get_json()["vote_id"]

    found = as_alice.get("/points/ledger").get_json()

    assert found["balance"] == found["ledger_sum"] == 250
    entries = [(one["reason"], one["amount"], one["vote_id"]) for one in found["entries"]]
    assert entries == [("creation", -50, made), ("welcome", 300, None)]


def test_e39_closed_is_told_by_the_clock_before_the_job_ran(as_bob: Client, alice: User) -> None:
    vote = make.make_vote(alice, now=utcnow() - timedelta(hours=9))

    assert make.is_state(vote, "ongoing")
    assert as_bob.get(f"/votes/{vote.id}").get_json()["state"] == "finished"


def test_e19_vote_that_cannot_be_settled_is_never_shown_as_settled(
    as_bob: Client, alice: User
) -> None:
    vote = make.make_closed_vote(alice, now=utcnow() - timedelta(days=2))

    found = as_bob.get(f"/votes/{vote.id}").get_json()
    assert (found["state"], found["finished_price"]) == ("finished", None)

    votes.void_vote(vote_id=vote.id, reason="상장 폐지", now=utcnow())
    found = as_bob.get(f"/votes/{vote.id}").get_json()
    assert (found["state"], found["finished_price"]) == ("tracked", 100)
