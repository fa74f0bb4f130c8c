"""Settings, read from the environment here alone; a value that can't be right stops the start."""

import base64
import os
import re
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"
MIN_SECRET_LENGTH = 32


class ConfigError(Exception):
    """A setting that can't be right; the message is one line that says what would be."""


def _shown(text: str) -> str:
    """A refused value as a message may repeat it: on one line, short, without a password."""
    return repr(re.sub(r"^([\w+]+://)?.*@", r"\1…@", text, flags=re.DOTALL)[:80])


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ConfigError(f"{name}={_shown(text)} must be a whole number from {low} to {high}")
    return int(text)


def _switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name, "").strip()
    if not text:
        return default
    if text not in ("on", "off"):
        raise ConfigError(f"{name}={_shown(text)} must be on or off")
    return text == "on"


def _url(env: Mapping[str, str], name: str, default: str, schemes: tuple[str, ...]) -> str:
    text = env.get(name, "").strip() or default
    try:
        parts = urlsplit(text)
        fine = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
        fine = fine and not parts.query and not parts.fragment  # paths are put behind it
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(f"{name}={_shown(text)} must be an address like {default}")
    return text.rstrip("/")


def _stream_url(env: Mapping[str, str], default: str) -> str:
    """Where prices are pushed; empty for `off`, and for another exchange that tells of no stream.

    The real stream beside the prices of a simulator would mix two markets.
    """
    given = env.get("UPBIT_WS_URL", "").strip()
    if given in ("", "off"):
        return "" if given else default
    return _url(env, "UPBIT_WS_URL", Config.upbit_ws_url, ("ws", "wss"))


def _origins(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
    for origin in origins:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise ConfigError(
                f"{name} holds {_shown(origin)}; an origin looks like https://example.org"
            )
    return origins


def _redirects(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Whole addresses, since the provider compares them letter by letter."""
    given = tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
    for address in given:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s,#]{1,500}", address):
            raise ConfigError(
                f"{name} holds {_shown(address)}; write it like https://example.org/oauth"
            )
    return given


def _public_url(env: Mapping[str, str]) -> str:
    if not env.get("PUBLIC_URL", "").strip():
        if env.get("KAKAO_CLIENT_ID", "").strip():
            raise ConfigError(
                "KAKAO_CLIENT_ID needs PUBLIC_URL too: Kakao sends people back to that address"
            )
        return ""
    return _url(env, "PUBLIC_URL", "https://whaling.example.org", ("http", "https"))


def _key(env: Mapping[str, str], name: str, pattern: str = r"[A-Za-z0-9_\-]{1,100}") -> str:
    text = env.get(name, "").strip()
    if text and not re.fullmatch(pattern, text):
        raise ConfigError(f"{name} isn't a key as Kakao's console shows it")
    return text


def _kakao(env: Mapping[str, str], default: "type[Config]") -> dict[str, Any]:
    """What signing in with Kakao needs; without KAKAO_CLIENT_ID there is no such way in."""
    web = ("http", "https")
    return {
        "kakao_client_id": _key(env, "KAKAO_CLIENT_ID"),
        "kakao_client_secret": _key(env, "KAKAO_CLIENT_SECRET"),
        "kakao_native_key": _key(env, "KAKAO_NATIVE_KEY"),
        "kakao_app_id": _key(env, "KAKAO_APP_ID", r"\d{1,18}"),
        "kakao_admin_key": _key(env, "KAKAO_ADMIN_KEY"),
        "kakao_auth_url": _url(env, "KAKAO_AUTH_URL", default.kakao_auth_url, web),
        "kakao_api_url": _url(env, "KAKAO_API_URL", default.kakao_api_url, web),
        "kakao_redirect_uris": _redirects(env, "KAKAO_REDIRECT_URIS"),
        "public_url": _public_url(env),
    }


def _host(env: Mapping[str, str], name: str, default: str) -> str:
    text = env.get(name, "").strip() or default
    if not re.fullmatch(r"[A-Za-z0-9.:\-]{1,253}", text):
        raise ConfigError(f"{name}={_shown(text)} must be a host name or an IP address")
    return text


def _database(env: Mapping[str, str], instance: Path, filename: str) -> str:
    text = env.get("DATABASE_URL", "").strip() or f"sqlite:///{instance / filename}"
    found = re.match(r"sqlite:///|postgresql(?:\+(psycopg2?))?://", text)
    if not found:
        raise ConfigError(
            f"DATABASE_URL={_shown(text)} must start with sqlite:/// or postgresql://"
        )
    if text.startswith("postgresql"):
        _installed("DATABASE_URL", found[1] or "psycopg")
    if text in ("sqlite:///", "sqlite:///:memory:"):
        raise ConfigError(
            "DATABASE_URL must name a file: votes and points have to outlive a restart"
        )
    return text


def _installed(name: str, package: str) -> None:
    if find_spec(package) is None:
        raise ConfigError(
            f"{name} needs a package that isn't installed: .venv/bin/pip install {package}"
        )


def _rate_limit_store(env: Mapping[str, str]) -> str:
    text = env.get("RATELIMIT_STORAGE_URI", "").strip() or "memory://"
    if not re.match(r"memory://|(redis|rediss|unix)(\+\w+)?://", text):
        raise ConfigError(
            f"RATELIMIT_STORAGE_URI={_shown(text)} must start with memory:// or redis://"
        )
    if not text.startswith("memory"):
        _installed("RATELIMIT_STORAGE_URI", "redis")
    return text


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or "not possible"
        raise ConfigError(f"the folder {folder} must be writable: {reason}") from error
    return folder


def _secret_key(env: Mapping[str, str], instance: Path) -> str:
    """SECRET_KEY, or the one kept in the instance folder, made once with mode 0600."""
    given = env.get("SECRET_KEY", "")
    if given:
        if len(given) < MIN_SECRET_LENGTH:
            raise ConfigError(f"SECRET_KEY must have at least {MIN_SECRET_LENGTH} characters")
        return given
    path = instance / "secret_key"
    key = _kept(path, secrets.token_hex(MIN_SECRET_LENGTH)).strip()
    if len(key) < MIN_SECRET_LENGTH:
        raise ConfigError(
            f"{path} is cut short; delete it to have a new one (all must sign in again)"
        )
    return key


def _kept(path: Path, new: str) -> str:
    """What the file of a secret holds; where there is no such file it is made with a new one."""
    try:
        if not path.exists():
            _make_secret(path, new)
        return path.read_text("ascii", errors="replace")
    except OSError as error:
        reason = error.strerror or "not possible"
        raise ConfigError(f"the file {path} must be readable by us: {reason}") from error


def _make_secret(path: Path, secret: str) -> None:
    """Write a key beside `path` and link it in, so that no reader ever sees half of one."""
    draft = path.with_name(f".secret-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    with suppress(FileExistsError):  # another process was first; its key is the key
        os.link(draft, path)
    draft.unlink()


def _exchange_keys(env: Mapping[str, str], instance: Path) -> tuple[str, ...]:
    """EXCHANGE_KEYS, or those kept in the instance folder: the first seals, all of them open."""
    given = env.get("EXCHANGE_KEYS", "")
    path, source = instance / "exchange_keys", "EXCHANGE_KEYS"
    if not given.strip():
        source = str(path)
        given = _kept(path, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    keys = tuple(re.split(r"[\s,]+", given.strip()))
    if not all(re.fullmatch(r"[A-Za-z0-9_\-]{43}=", key) for key in keys):
        raise ConfigError(
            f"{source} must hold keys of 44 characters, the newest first; without the right ones "
            "linked exchange accounts can't be used (restore the file, or link them again)"
        )
    return keys


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting with its type. Build one with `from_env`; tests may build one directly."""

    database_url: str
    secret_key: str = field(repr=False)
    instance: Path
    exchange_keys: tuple[str, ...] = field(default=(), repr=False)
    host: str = "127.0.0.1"
    port: int = 5000
    threads: int = 8
    scheduler: bool = True
    upbit_url: str = "https://api.upbit.com"
    upbit_ws_url: str = "wss://api.upbit.com/websocket/v1"
    upbit_logo_url: str = "https://static.upbit.com/logos"
    bithumb_url: str = "https://api.bithumb.com"
    bithumb_ws_url: str = "wss://ws-api.bithumb.com/websocket/v1"
    public_url: str = ""
    kakao_client_id: str = ""
    kakao_client_secret: str = field(default="", repr=False)
    kakao_native_key: str = ""
    kakao_app_id: str = ""
    kakao_admin_key: str = field(default="", repr=False)
    kakao_auth_url: str = "https://kauth.kakao.com"
    kakao_api_url: str = "https://kapi.kakao.com"
    kakao_redirect_uris: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    rate_limits: bool = True
    ratelimit_storage_uri: str = "memory://"
    trusted_proxies: int = 0
    live_trading: bool = False
    whale_min_settled: int = 10
    access_log: bool = False
    demo: bool = False
    testing: bool = False

    @classmethod
    def from_env(
        cls, env: Mapping[str, str] | None = None, *, demo: bool = False, **overrides: Any
    ) -> "Config":
        """Read the settings, or raise ConfigError with one clear line.

        `overrides` (from the command line) win over the environment; None means not given.
        """
        given = {name.upper(): str(value) for name, value in overrides.items() if value is not None}
        env = {**(os.environ if env is None else env), **given}
        instance = _writable(Path(env.get("INSTANCE_PATH", "").strip() or INSTANCE).absolute())
        upbit = _url(env, "UPBIT_URL", cls.upbit_url, ("http", "https"))
        logos = cls.upbit_logo_url if upbit == cls.upbit_url else f"{upbit}/logos"
        values: dict[str, Any] = {
            "instance": instance,
            "database_url": _database(env, instance, "demo.db" if demo else "whaling.db"),
            "secret_key": _secret_key(env, instance),
            "exchange_keys": _exchange_keys(env, instance),
            "host": _host(env, "HOST", cls.host),
            "port": _number(env, "PORT", cls.port, 0, 65535),
            "threads": _number(env, "THREADS", cls.threads, 1, 256),
            "scheduler": _switch(env, "SCHEDULER", default=True),
            "upbit_url": upbit,
            "upbit_ws_url": _stream_url(env, cls.upbit_ws_url if upbit == cls.upbit_url else ""),
            "upbit_logo_url": _url(env, "UPBIT_LOGO_URL", logos, ("http", "https")),
            "bithumb_url": _url(env, "BITHUMB_URL", cls.bithumb_url, ("http", "https")),
            "bithumb_ws_url": _url(env, "BITHUMB_WS_URL", cls.bithumb_ws_url, ("ws", "wss")),
            "cors_origins": _origins(env, "CORS_ORIGINS"),
            "rate_limits": _switch(env, "RATE_LIMITS", default=True),
            "ratelimit_storage_uri": _rate_limit_store(env),
            "trusted_proxies": _number(env, "TRUSTED_PROXIES", 0, 0, 10),
            "live_trading": _switch(env, "LIVE_TRADING", default=False),
            "whale_min_settled": _number(env, "WHALE_MIN_SETTLED", 10, 1, 10_000),
            "access_log": _switch(env, "ACCESS_LOG", default=False),
            "demo": demo,
        }
        return cls(**values, **_kakao(env, cls))

    def flask_settings(self) -> dict[str, Any]:
        """The settings under the names that Flask and its extensions look for."""
        own = {f"WHALING_{f.name.upper()}": getattr(self, f.name) for f in fields(self)}
        del own["WHALING_SECRET_KEY"]
        return own | {
            "SECRET_KEY": self.secret_key,
            "TESTING": self.testing,
            "DEBUG": False,  # whatever FLASK_DEBUG says: a debugger hands the server to visitors
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SESSION_COOKIE_NAME": "whaling",
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "REMEMBER_COOKIE_NAME": "whaling_remember",
            "REMEMBER_COOKIE_HTTPONLY": True,
            "REMEMBER_COOKIE_SAMESITE": "Lax",
            "REMEMBER_COOKIE_DURATION": 30 * 86_400,
            "MAX_CONTENT_LENGTH": 64 * 1024,
            "MAX_FORM_MEMORY_SIZE": 64 * 1024,
            "SEND_FILE_MAX_AGE_DEFAULT": 86_400,
            "BOOTSTRAP_SERVE_LOCAL": True,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_SSL_STRICT": False,
            "BABEL_DEFAULT_LOCALE": "ko",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Seoul",
            "RATELIMIT_ENABLED": self.rate_limits,
            "RATELIMIT_STORAGE_URI": self.ratelimit_storage_uri,
            "RATELIMIT_HEADER_LIMIT": "RateLimit-Limit",
            "RATELIMIT_HEADER_REMAINING": "RateLimit-Remaining",
            "RATELIMIT_HEADER_RESET": "RateLimit-Reset",
            "SCHEDULER_API_ENABLED": False,
            "SCHEDULER_TIMEZONE": "UTC",
        }
