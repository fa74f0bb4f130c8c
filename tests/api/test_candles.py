"""Candles of a coin over JSON: exact, public, bounded, and a wish to keep them."""

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import func, select
from waitress import wasyncore
from waitress.server import create_server

from app.clock import utcnow
from app.domain.candles import frame_start
from app.domain.frames import FRAMES
from app.domain.market import CandleUnit
from app.extensions import db
from app.models import CandleWish
from tests import factories as make
from tests.api.conftest import Client, code_of, first_field

DAYS = "/coins/BTC/candles"


@pytest.fixture
def known(stranger: Client) -> Client:
    """BTC at 107 now, with three finished days."""
    now = utcnow()
    coin = make.make_coin(price="107", observed_at=now)
    make.make_candles(coin, "0.00012345", "100", "105", until=now)
    return stranger


def wishes() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(CandleWish)) or 0


def test_finished_candles_are_told_oldest_first_with_their_exact_digits(known: Client) -> None:
    response = known.get(DAYS)

    today = int(frame_start(utcnow(), CandleUnit.DAY).timestamp())
    told = response.get_json()
    assert (told["code"], told["frame"]) == ("BTC", "1d")
    assert [row[0] for row in told["candles"]] == [today - 86_400 * back for back in (3, 2, 1)]
    assert told["candles"][-1][1:] == [100, 105, 100, 105, 1.0]
    assert b"0.00012345" in response.data


def test_the_forming_candle_is_never_among_the_finished(known: Client) -> None:
    told = known.get(DAYS).get_json()

    assert told["forming"] == [told["candles"][-1][0] + 86_400, 107, 107, 107, 107]


def test_nothing_forms_while_nothing_is_traded(stranger: Client) -> None:
    make.make_coin(observed_at=utcnow() - timedelta(days=8))

    assert stranger.get(DAYS).get_json()["forming"] is None


@pytest.mark.parametrize("frame", FRAMES)
def test_every_frame_is_told(known: Client, frame: str) -> None:
    assert known.get(f"{DAYS}?frame={frame}").get_json()["frame"] == frame


def test_coin_without_candles_is_told_so(stranger: Client, coin: str) -> None:
    told = stranger.get(DAYS).get_json()

    assert (told["candles"], told["complete"]) == ([], False)


def test_of_many_the_newest_are_told(known: Client) -> None:
    told = known.get(f"{DAYS}?count=1").get_json()

    assert [row[4] for row in told["candles"]] == [105]
    assert told["complete"]


def test_what_is_known_already_isnt_sent_again(known: Client) -> None:
    tag = known.get(DAYS).headers["ETag"]

    again = known.get(DAYS, headers={"If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("frame", ["", "1D", "2h", "1440", "🐳", "x" * 5000])
def test_unknown_frame_is_refused(known: Client, frame: str) -> None:
    response = known.get(DAYS, query_string={"frame": frame})

    assert response.status_code == 400
    assert (code_of(response), first_field(response)) == ("frame_unknown", "frame")


@pytest.mark.parametrize("count", ["0", "501", "-1", "1.5", "٣", "1e3", "9" * 30, ""])
def test_more_than_500_or_no_number_is_refused(known: Client, count: str) -> None:
    response = known.get(DAYS, query_string={"count": count})

    assert (response.status_code, code_of(response)) == (400, "number_out_of_bounds")


@pytest.mark.parametrize("code", ["NOPE", "btc", "%00", "B" * 300])
def test_unknown_coin_isnt_there(known: Client, code: str) -> None:
    response = known.get(f"/coins/{code}/candles")

    assert (response.status_code, code_of(response)) == (404, "not_found")


def test_candles_are_only_read(known: Client) -> None:
    assert known.post(DAYS).status_code == 405


def test_asking_notes_a_wish_once_a_minute(known: Client) -> None:
    for _ in range(3):
        known.get(DAYS).close()

    assert wishes() == 1


def test_a_refused_question_wishes_nothing(known: Client) -> None:
    known.get(f"{DAYS}?frame=2h").close()
    known.get("/coins/NOPE/candles").close()

    assert wishes() == 0


def test_who_asks_isnt_kept_waiting_by_a_locked_database(app: Flask, known: Client) -> None:
    server = create_server(app, host="127.0.0.1", port=0, threads=2, ident="whaling")
    thread = threading.Thread(target=server.run)
    thread.start()
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    try:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = monotonic()
            body = _fetched(server.effective_port, f"/api/v1{DAYS}")
            waited = monotonic() - begun
            other.rollback()
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join()
        server.task_dispatcher.shutdown(timeout=60)

    assert body.endswith(b'"complete":false}')
    assert waited < 2
    assert wishes() == 1


def _fetched(port: int, path: str) -> bytes:
    """An answer as far as its body is long; the connection isn't waited for."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body
