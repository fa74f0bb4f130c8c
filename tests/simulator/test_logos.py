"""Logos: absent unless wanted."""

import struct
import zlib

from app.simulator import Simulator
from app.simulator.logos import logo
from tests.simulator.clients import ask


def test_there_are_no_logos_unless_wanted(sim: Simulator) -> None:
    assert ask(sim, "/logos/BTC.png").status == 404


def test_wanted_logo_is_a_png() -> None:
    with Simulator(markets=2, logos=True) as sim:
        answer, other = ask(sim, "/logos/BTC.png"), ask(sim, "/logos/NOTHERE.png")

    assert (answer.status, other.status) == (200, 404)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.body == logo("BTC")


def test_drawn_png_is_whole() -> None:
    picture = logo("BTC")
    size = struct.unpack(">II", picture[16:24])
    start = picture.index(b"IDAT")
    length = struct.unpack(">I", picture[start - 4 : start])[0]

    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert size == (64, 64)
    assert len(zlib.decompress(picture[start + 4 : start + 4 + length])) == 64 * (1 + 64 * 3)
    assert logo("ETH") != picture
