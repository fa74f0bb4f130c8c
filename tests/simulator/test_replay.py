"""Recorded answers: every digit as it was."""

import json
import re
from pathlib import Path

import pytest

from app.simulator import Simulator
from app.simulator.replay import Replay
from tests.simulator.clients import Answer, ask, minutes, ticker
from tests.simulator.conftest import START
from tests.simulator.listening import listening

PNG = b"\x89PNG\r\n\x1a\nxx"
ROW = '{"market":"KRW-ABC","trade_price":1.50000000,"acc_trade_price":0E-8,"timestamp":1}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small recording of our own."""
    (tmp_path / "ticker_krw.json").write_text(f"[{ROW}]")
    (tmp_path / "ticker_a.json").write_text(
        '[{"market":"KRW-ABC","trade_price":9},{"market":"BTC-ABC","trade_price":9e-05}]'
    )
    candles = [
        {"market": "KRW-ABC", "candle_date_time_utc": f"2026-11-20T02:{minute:02}:00"}
        for minute in (5, 3, 1)
    ]
    (tmp_path / "candles_minutes_1_KRW-ABC_one.json").write_text(json.dumps(candles[:2]))
    (tmp_path / "candles_minutes_1_KRW-ABC_two.json").write_text(json.dumps(candles[1:]))
    (tmp_path / "logos").mkdir()
    (tmp_path / "logos" / "ABC.png").write_bytes(PNG)
    return tmp_path


def replaying(folder: Path) -> Simulator:
    return Simulator(replay=folder, start=START, speed=0, rate_limit=None)


def starts(rows: list[dict[str, str]]) -> list[str]:
    return [row["candle_date_time_utc"][14:16] for row in rows]


def numbers(text: str) -> list[tuple[str, str]]:
    """Every field with a number, as written."""
    return re.findall(r'"(\w+)":\s*(-?\d[\d.eE+-]*)', text)


def test_recorded_text_comes_back_byte_for_byte(folder: Path) -> None:
    with replaying(folder) as sim:
        answer = ask(sim, "/v1/ticker", markets="KRW-ABC")

    assert answer.text == f"[{ROW}]"


def test_tickers_of_all_files_are_merged_and_filtered(folder: Path) -> None:
    with replaying(folder) as sim:
        won = ask(sim, "/v1/ticker/all", quote_currencies="KRW").text
        coin = ask(sim, "/v1/ticker/all", quote_currencies="BTC").text

    assert won == f"[{ROW}]"
    assert coin == '[{"market":"BTC-ABC","trade_price":9e-05}]'


def test_candles_are_merged_newest_first_and_cut_by_to_and_count(folder: Path) -> None:
    with replaying(folder) as sim:
        found = [
            starts(minutes(sim, "KRW-ABC", count=9)),
            starts(minutes(sim, "KRW-ABC", count=2)),
            starts(minutes(sim, "KRW-ABC", count=9, to="2026-11-20T02:05:00Z")),
            starts(minutes(sim, "KRW-ABC", count=9, to="2026-11-20T02:03:00.5Z")),
        ]

    assert found == [["05", "03", "01"], ["05", "03"], ["03", "01"], ["03", "01"]]


@pytest.mark.parametrize(
    ("path", "query"),
    [("/v1/ticker", {"markets": "KRW-NO"}), ("/v1/candles/minutes/1", {"market": "KRW-NO"}),
     ("/v1/candles/minutes/3", {"market": "KRW-ABC"})],
)  # fmt: skip
def test_what_was_not_recorded_is_unknown(
    folder: Path, path: str, query: dict[str, object]
) -> None:
    with replaying(folder) as sim:
        assert ask(sim, path, **query).status == 404  # type: ignore[arg-type]


def test_recorded_logo_is_served(folder: Path) -> None:
    with replaying(folder) as sim:
        assert ask(sim, "/logos/ABC.png").body == PNG
        assert ask(sim, "/logos/XYZ.png").status == 404


def test_faults_spoil_a_recording_too(folder: Path) -> None:
    with replaying(folder) as sim:
        sim.fault("jump", all=True)
        assert ticker(sim, "KRW-ABC")["trade_price"] == 15
        sim.fault("nan", code="KRW-ABC")
        assert "NaN" in ask(sim, "/v1/ticker", markets="KRW-ABC").text


def test_recording_cannot_be_changed(folder: Path) -> None:
    sim = replaying(folder)

    for deed in (lambda: sim.delist("KRW-ABC"), lambda: sim.fault("list")):
        with pytest.raises(ValueError, match="recording"):
            deed()


def test_price_of_a_recording_is_its_ticker(folder: Path) -> None:
    assert str(replaying(folder).price("KRW-ABC", START)) == "1.50000000"


def test_state_names_the_folder(folder: Path) -> None:
    with replaying(folder) as sim:
        assert ask(sim, "/_sim").json["replay"] == str(folder)


@pytest.mark.parametrize("text", ["[", "{}", "[1]", '[{"code":"KRW-ABC"}]'])
def test_broken_recording_is_refused_by_name(folder: Path, text: str) -> None:
    (folder / "ticker_krw.json").write_text(text)

    with pytest.raises(ValueError, match=r"ticker_krw\.json"):
        Replay(folder)


def test_empty_or_absent_folder_is_refused(tmp_path: Path) -> None:
    for wrong in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ValueError, match="no "):
            Replay(wrong)


def same_digits(answer: Answer, *files: Path) -> bool:
    return sorted(numbers(answer.text)) == sorted(
        pair for file in files for pair in numbers(file.read_text())
    )


def test_real_tickers_come_back_digit_by_digit(recordings: Path) -> None:
    with replaying(recordings) as sim:
        won = ask(sim, "/v1/ticker/all", quote_currencies="KRW", timeout=20)
        rest = ask(sim, "/v1/ticker/all", quote_currencies="BTC,USDT", timeout=20)

    assert same_digits(won, recordings / "ticker_krw.json")
    assert same_digits(rest, recordings / "ticker_btc_usdt.json")


def test_real_candles_come_back_digit_by_digit(recordings: Path) -> None:
    with replaying(recordings) as sim:
        rows = ask(sim, "/v1/candles/minutes/1", market="KRW-BTC", count=200)
        days = ask(sim, "/v1/candles/days", market="KRW-BTC", count=200)

    assert same_digits(rows, recordings / "candles_minutes_1_KRW-BTC_2021-01-30_raw.json")
    assert same_digits(days, recordings / "candles_days_KRW-BTC.json")


def test_real_candles_are_cut_exclusively(recordings: Path) -> None:
    with replaying(recordings) as sim:
        rows = minutes(sim, to="2020-02-20T11:20:00Z", count=200)

    recorded = json.loads(
        (recordings / "candles_minutes_1_KRW-BTC_2020-02-20_to_2020KST.json").read_text()
    )
    assert [row["candle_date_time_utc"] for row in rows] == [
        row["candle_date_time_utc"] for row in recorded
    ]


def test_real_market_list_comes_back_whole(recordings: Path) -> None:
    with replaying(recordings) as sim:
        answer = ask(sim, "/v1/market/all", is_details="true")

    recorded = json.loads((recordings / "market_all.json").read_text())
    assert answer.json[: len(recorded)] == recorded


def test_a_market_with_a_ticker_is_listed_even_where_the_list_is_younger(
    recordings: Path,
) -> None:
    with replaying(recordings) as sim:
        listed = [row["market"] for row in ask(sim, "/v1/market/all").json]
        trading = [row["market"] for row in ask(sim, "/v1/ticker/all?quote_currencies=KRW").json]

    assert set(trading) <= set(listed)
    assert len(listed) == len(set(listed))


FRAME = (
    '{"type":"ticker","code":"KRW-ABC","trade_price":1.50000000,"change_price":0E-8,'
    '"acc_trade_price":95078733694.3792000000000000,"trade_volume":9.101e-05,'
    '"timestamp":%d,"stream_type":"%s"}'
)


@pytest.fixture
def streamed(folder: Path) -> Path:
    """Frames of two files, the later recording in the file that comes first."""
    (folder / "ws_ticker_1.jsonl").write_text(FRAME % (30, "SNAPSHOT") + "\n")
    lines = [FRAME % (10, "SNAPSHOT"), FRAME % (20, "REALTIME")]
    (folder / "ws_ticker_2.jsonl").write_text("\n".join(lines) + "\n\n")
    return folder


def test_recorded_frames_come_in_the_order_of_time_byte_by_byte(streamed: Path) -> None:
    with replaying(streamed) as sim, listening(sim, "KRW-ABC") as client:
        frames = [client.raw() for _ in range(3)]

        assert client.rest() == []
    assert frames == [
        (FRAME % (ms, kind)).encode()
        for ms, kind in ((10, "SNAPSHOT"), (20, "REALTIME"), (30, "SNAPSHOT"))
    ]


def test_recorded_frames_come_under_short_names_too(streamed: Path) -> None:
    with replaying(streamed) as sim, listening(sim, "KRW-ABC", form="SIMPLE_LIST") as client:
        frame = client.raw()

    assert b'"tp":1.50000000,"cp":0E-8,"atp":95078733694.3792000000000000' in frame  # type: ignore[operator]


def test_recorded_frames_obey_the_flags_and_the_types(streamed: Path) -> None:
    with replaying(streamed) as sim, listening(sim) as client:
        client.ask("KRW-ABC", is_only_snapshot=True)
        snapshots = client.rest(1)
        client.ask("KRW-ABC", is_only_realtime=True)
        later = client.rest(2)
        client.ask("KRW-ABC", kind="trade")
        others = client.rest()

    assert [frame["timestamp"] for frame in snapshots] == [10]
    assert [frame["timestamp"] for frame in later] == [20, 30]
    assert others == []


def test_burst_adds_nothing_to_a_recording(streamed: Path) -> None:
    with replaying(streamed) as sim, listening(sim, "KRW-ABC") as client:
        sim.burst(1_000)

        assert len(client.rest(3)) == 3


def test_faults_spoil_recorded_frames_too(streamed: Path) -> None:
    with replaying(streamed) as sim:
        sim.fault("jump", all=True, factor=2)
        with listening(sim, "KRW-ABC") as client:
            assert client.next()["trade_price"] == 3


@pytest.mark.parametrize("line", ["{", "[]", "5", '{"type":"ticker","code":"KRW-ABC"}'])
def test_broken_frame_is_refused_by_its_file(folder: Path, line: str) -> None:
    (folder / "ws_ticker_bad.jsonl").write_text(line)

    with pytest.raises(ValueError, match=r"ws_ticker_bad\.jsonl"):
        Replay(folder)


def test_real_frames_come_back_byte_by_byte(recordings: Path) -> None:
    files = [*recordings.glob("ws_ticker_*.jsonl"), *recordings.glob("ws_candle_*.jsonl")]
    recorded = sorted(line for file in files for line in file.read_text().splitlines())

    with replaying(recordings) as sim, listening(sim) as client:
        wishes = [
            {"type": kind, "codes": ["KRW-BTC", "KRW-ETH"]} for kind in ("ticker", "candle.1m")
        ]
        client.send([{"ticket": "t"}, *wishes])
        told = sorted(bytes(client.raw()).decode() for _ in recorded)  # type: ignore[arg-type]

    assert recorded
    assert told == recorded
