"""`run.py` refuses to start with one clear line when something can't be right."""

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, serving


def start(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Start the server; it is expected to end by itself."""
    settings = {"PATH": os.environ["PATH"], "INSTANCE_PATH": str(folder), "PORT": "0"}
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        env=settings | {"SCHEDULER": "off"} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a refused start says: one line on stderr, an exit code, no traceback."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("whaling: ")]
    assert "Traceback" not in done.stderr
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("name", "text"), [("PORT", "eighty"), ("SCHEDULER", "maybe"), ("UPBIT_URL", "upbit")]
)
def test_wrong_setting_stops_the_start(tmp_path: Path, name: str, text: str) -> None:
    assert one_line(start(tmp_path, **{name: text})).startswith(f"whaling: {name}=")


def test_folder_that_is_a_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "instance").touch()

    assert "must be writable" in one_line(start(tmp_path / "instance"))


def test_database_of_a_newer_version_stops_the_start_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "whaling.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()

    assert "used by a newer Whaling" in one_line(start(tmp_path))

    database = sqlite3.connect(path)
    assert database.execute("SELECT * FROM alembic_version").fetchall() == [("9999",)]
    database.close()


def test_file_that_is_no_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "whaling.db").write_text("this is a letter, not a database " * 99)

    assert "not a database" in one_line(start(tmp_path))


def test_database_in_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}"

    assert "unable to open" in one_line(start(tmp_path, DATABASE_URL=url))


def test_port_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        assert "can't listen" in one_line(start(tmp_path, PORT=port))


def test_host_that_nobody_knows_stops_the_start(tmp_path: Path) -> None:
    line = one_line(start(tmp_path, HOST="999999999999"))

    assert line.startswith("whaling: can't listen at HOST=999999999999 PORT=0: ")


def test_empty_folder_becomes_a_working_server_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        with serving(tmp_path, SCHEDULER="off") as (address, process):
            assert address.startswith("http://127.0.0.1:")
        assert process.returncode == 0

    assert {"whaling.db", "secret_key"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("scheduler", ["on", "off"])
def test_stopped_server_leaves_the_whole_database_in_one_file(
    tmp_path: Path, scheduler: str
) -> None:
    with serving(tmp_path, SCHEDULER=scheduler, UPBIT_URL="http://127.0.0.1:9"):
        assert (tmp_path / "whaling.db-wal").exists()

    assert [path.name for path in tmp_path.glob("whaling.db*")] == ["whaling.db"]


def test_database_that_can_only_be_read_stops_the_start(tmp_path: Path) -> None:
    with serving(tmp_path, SCHEDULER="off"):
        pass
    reader = sqlite3.connect(tmp_path / "whaling.db")
    reader.execute("SELECT count(*) FROM users")
    url = f"sqlite:///file:{tmp_path / 'whaling.db'}?mode=ro&uri=true"

    assert "readonly database" in one_line(start(tmp_path, DATABASE_URL=url))
    reader.close()
