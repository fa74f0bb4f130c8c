"""Every setting: what is right, and the one line that says why another can't be."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import config
from config import Config, ConfigError
from tests.serving import ROOT

LONG = "s" * 32


def read(folder: Path, **env: str) -> Config:
    return Config.from_env({"INSTANCE_PATH": str(folder)} | env)


@pytest.fixture
def all_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where every package is installed that a setting may need."""
    monkeypatch.setattr(config, "find_spec", lambda _package: object())


def test_defaults_are_the_real_thing_on_this_machine_alone(tmp_path: Path) -> None:
    found = read(tmp_path)

    assert found.database_url == f"sqlite:///{tmp_path / 'whaling.db'}"
    assert (found.host, found.port, found.threads) == ("127.0.0.1", 5000, 8)
    assert (found.scheduler, found.rate_limits, found.access_log) == (True, True, False)
    assert found.upbit_url == "https://api.upbit.com"
    assert found.upbit_logo_url == "https://static.upbit.com/logos"
    assert (found.whale_min_settled, found.trusted_proxies, found.cors_origins) == (10, 0, ())
    assert (found.demo, found.testing) == (False, False)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("DATABASE_URL", "sqlite:////tmp/x.db", "database_url", "sqlite:////tmp/x.db"),
        ("DATABASE_URL", "postgresql://h/x", "database_url", "postgresql://h/x"),
        ("DATABASE_URL", "postgresql+psycopg://h/x", "database_url", "postgresql+psycopg://h/x"),
        ("SECRET_KEY", LONG, "secret_key", LONG),
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),  # noqa: S104
        ("HOST", "::1", "host", "::1"),
        ("PORT", "0", "port", 0),
        ("PORT", " 65535 ", "port", 65535),
        ("THREADS", "1", "threads", 1),
        ("THREADS", "256", "threads", 256),
        ("SCHEDULER", "off", "scheduler", False),
        ("RATE_LIMITS", "off", "rate_limits", False),
        ("ACCESS_LOG", "on", "access_log", True),
        ("UPBIT_URL", "http://127.0.0.1:9900/", "upbit_url", "http://127.0.0.1:9900"),
        ("UPBIT_URL", "http://127.0.0.1:9900", "upbit_logo_url", "http://127.0.0.1:9900/logos"),
        ("UPBIT_URL", "http://127.0.0.1:9900", "upbit_ws_url", ""),
        ("UPBIT_URL", "", "upbit_ws_url", "wss://api.upbit.com/websocket/v1"),
        ("UPBIT_WS_URL", "ws://127.0.0.1:1/websocket/v1/", "upbit_ws_url",
         "ws://127.0.0.1:1/websocket/v1"),
        ("UPBIT_WS_URL", "off", "upbit_ws_url", ""),
        ("UPBIT_LOGO_URL", "https://x.test/l", "upbit_logo_url", "https://x.test/l"),
        ("BITHUMB_URL", "http://127.0.0.1:9902/", "bithumb_url", "http://127.0.0.1:9902"),
        ("BITHUMB_URL", "", "bithumb_url", "https://api.bithumb.com"),
        ("BITHUMB_WS_URL", "ws://127.0.0.1:1/s", "bithumb_ws_url", "ws://127.0.0.1:1/s"),
        ("CORS_ORIGINS", "https://a.test, http://b:3000,", "cors_origins",
         ("https://a.test", "http://b:3000")),
        ("RATELIMIT_STORAGE_URI", "redis://h:6379", "ratelimit_storage_uri", "redis://h:6379"),
        ("TRUSTED_PROXIES", "10", "trusted_proxies", 10),
        ("WHALE_MIN_SETTLED", "1", "whale_min_settled", 1),
        ("PORT", "", "port", 5000),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("all_installed")
def test_setting_is_read(tmp_path: Path, name: str, text: str, field: str, value: object) -> None:
    assert getattr(read(tmp_path, **{name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "mysql://h/x"),
        ("DATABASE_URL", "whaling.db"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "postgresql+nodriver://h/x"),
        ("SECRET_KEY", "short"),
        ("HOST", "not a host"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80.0"),
        ("PORT", "５０００"),
        ("PORT", "99999999999999"),
        ("THREADS", "0"),
        ("THREADS", "257"),
        ("THREADS", "many"),
        ("SCHEDULER", "yes"),
        ("SCHEDULER", "ON"),
        ("RATE_LIMITS", "1"),
        ("ACCESS_LOG", "true"),
        ("UPBIT_URL", "api.upbit.com"),
        ("UPBIT_URL", "ftp://api.upbit.com"),
        ("UPBIT_URL", "http://host:port"),
        ("UPBIT_URL", "http://[half"),
        ("UPBIT_URL", "https://api.upbit.com?x=1"),
        ("PUBLIC_URL", "https://whaling.test/#top"),
        ("UPBIT_LOGO_URL", "file:///etc"),
        ("BITHUMB_URL", "api.bithumb.com"),
        ("BITHUMB_WS_URL", "https://api.bithumb.com"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://a.test/path"),
        ("RATELIMIT_STORAGE_URI", "file:///x"),
        ("TRUSTED_PROXIES", "11"),
        ("TRUSTED_PROXIES", "all"),
        ("WHALE_MIN_SETTLED", "0"),
        ("WHALE_MIN_SETTLED", "ten"),
        ("EXCHANGE_KEYS", "short"),
        ("EXCHANGE_KEYS", f"{'A' * 43}=, {'A' * 44}"),
        ("LIVE_TRADING", "maybe"),
    ],
)
def test_setting_that_cannot_be_is_one_line_that_names_it(
    tmp_path: Path, name: str, text: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, **{name: text})

    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "postgres://whaling:pass@w/ord@host/whaling"),
        ("RATELIMIT_STORAGE_URI", "http://:pass@w/ord@host"),
        ("UPBIT_URL", "me:pass@w/ord@host"),
        ("UPBIT_URL", "ftp://me:pass@w/ord@host"),
    ],
)
def test_refused_setting_shows_no_password(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, **{name: text})

    assert "pass" not in str(refused.value)
    assert "ord" not in str(refused.value)


def test_refused_setting_is_not_repeated_at_length(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, PORT="1\n" * 9999)

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("name", "text", "package"),
    [
        ("DATABASE_URL", "postgresql://h/x", "psycopg"),
        ("DATABASE_URL", "postgresql+psycopg2://h/x", "psycopg2"),
        ("RATELIMIT_STORAGE_URI", "redis://h", "redis"),
    ],
)
def test_setting_that_needs_a_package_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, package: str
) -> None:
    monkeypatch.setattr(config, "find_spec", {}.get)

    with pytest.raises(ConfigError, match=rf"^{name} needs .*pip install {package}$"):
        read(tmp_path, **{name: text})


def test_command_line_is_checked_like_the_environment(tmp_path: Path) -> None:
    env = {"INSTANCE_PATH": str(tmp_path)}

    with pytest.raises(ConfigError, match="PORT='70000'"):
        Config.from_env(env, port=70_000)


def test_command_line_wins_over_environment(tmp_path: Path) -> None:
    env = {"INSTANCE_PATH": str(tmp_path), "PORT": "1", "HOST": "a"}

    found = Config.from_env(env, port=2, host=None)

    assert (found.port, found.host) == (2, "a")


def test_demo_has_its_own_database(tmp_path: Path) -> None:
    found = Config.from_env({"INSTANCE_PATH": str(tmp_path)}, demo=True)

    assert found.database_url.endswith("/demo.db")


def test_secret_is_made_once_for_us_alone(tmp_path: Path) -> None:
    first, again = read(tmp_path), read(tmp_path)

    path = tmp_path / "secret_key"
    assert first.secret_key == again.secret_key == path.read_text()
    assert len(first.secret_key) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["exchange_keys", "secret_key"]


def test_secret_is_not_shown(tmp_path: Path) -> None:
    found = read(tmp_path)

    assert found.secret_key not in repr(found)
    assert "WHALING_SECRET_KEY" not in found.flask_settings()


def test_two_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    program = "import config; print(config.Config.from_env().secret_key)"
    env = {"PATH": os.environ["PATH"], "INSTANCE_PATH": str(tmp_path)}

    def start(_number: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True,
            timeout=30, check=True,
        )  # fmt: skip
        return done.stdout

    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(start, range(4)))

    assert len(keys) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exchange_keys", "secret_key"]


def test_secret_cut_short_is_named_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("half")

    with pytest.raises(ConfigError, match="cut short"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["secret_key", "exchange_keys"])
def test_secret_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(ConfigError, match=f"{name} must be readable"):
        read(tmp_path)


def test_missing_folder_is_made(tmp_path: Path) -> None:
    assert read(tmp_path / "a" / "b").instance.is_dir()


def test_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for place in ("file", "file/below"):
        with pytest.raises(ConfigError, match="must be writable"):
            read(tmp_path / place)


def test_sealing_key_is_made_once_for_us_alone(tmp_path: Path) -> None:
    first, again = read(tmp_path), read(tmp_path)

    path = tmp_path / "exchange_keys"
    assert first.exchange_keys == again.exchange_keys == (path.read_text(),)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.exchange_keys[0] not in repr(first)


def test_sealing_keys_come_newest_first(tmp_path: Path) -> None:
    new, old = f"{'B' * 43}=", f"{'A' * 43}="

    assert read(tmp_path, EXCHANGE_KEYS=f" {new},{old} ").exchange_keys == (new, old)
    assert not (tmp_path / "exchange_keys").exists()
    (tmp_path / "exchange_keys").write_text(f"{new}\n{old}\n")
    assert read(tmp_path).exchange_keys == (new, old)


def test_spoilt_sealing_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "exchange_keys").write_text("half")

    with pytest.raises(ConfigError, match=r"exchange_keys.*restore the file"):
        read(tmp_path)
    assert (tmp_path / "exchange_keys").read_text() == "half"
