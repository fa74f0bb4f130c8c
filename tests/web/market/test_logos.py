"""The logos: kept by browsers, and nothing else of the disk."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def logos(tmp_path: Path) -> Path:
    """The folder of logos, with Bitcoin's and something that is nobody's business."""
    folder = tmp_path / "logos"
    folder.mkdir()
    (folder / "BTC.png").write_bytes(PNG)
    (folder / "not-a-coin.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(b"secret")
    return folder


def test_logo_is_kept_by_browsers_and_never_guessed_at(client: FlaskClient, logos: Path) -> None:
    answer = client.get("/coins/BTC/logo", buffered=True)

    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", PNG)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age=604800" in answer.headers["Cache-Control"]
    assert answer.headers["ETag"]


def test_logo_known_already_isnt_sent_again(client: FlaskClient, logos: Path) -> None:
    tag = client.get("/coins/BTC/logo", buffered=True).headers["ETag"]

    again = client.get("/coins/BTC/logo", headers={"If-None-Match": tag}, buffered=True)

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "code",
    [
        "ETH",
        "btc",
        "not-a-coin",
        "..%2Fsecret",
        "%2e%2e",
        "..",
        "BTC.png",
        "B" * 300,
        "%00",
        "BTC%0A",
        "🐳",
    ],
)
def test_logo_by_any_other_name_isnt_there(client: FlaskClient, logos: Path, code: str) -> None:
    assert client.get(f"/coins/{code}/logo").status_code == 404


def test_logos_are_only_read(client: FlaskClient) -> None:
    assert client.post("/coins/BTC/logo").status_code == 405
