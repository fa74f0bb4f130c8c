"""Settings of signing in with Kakao: what is read, and what stops the start."""

from pathlib import Path

import pytest

from config import Config, ConfigError

FULL = {
    "PUBLIC_URL": "https://whaling.example/",
    "KAKAO_CLIENT_ID": "c1",
    "KAKAO_CLIENT_SECRET": "whisper",
    "KAKAO_NATIVE_KEY": "n1",
    "KAKAO_APP_ID": "4711",
    "KAKAO_ADMIN_KEY": "whisper",
    "KAKAO_REDIRECT_URIS": "https://a.example/oauth, kakaoc1://oauth",
}


def read(folder: Path, **env: str) -> Config:
    return Config.from_env({"INSTANCE_PATH": str(folder)} | env)


def test_kakao_is_off_unless_asked_for(tmp_path: Path) -> None:
    config = read(tmp_path)

    assert config.kakao_client_id == ""
    assert config.kakao_auth_url == "https://kauth.kakao.com"
    assert config.kakao_api_url == "https://kapi.kakao.com"


def test_every_setting_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, **FULL)

    assert config.public_url == "https://whaling.example"
    assert config.kakao_app_id == "4711"
    assert config.kakao_redirect_uris == ("https://a.example/oauth", "kakaoc1://oauth")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    assert "whisper" not in repr(read(tmp_path, **FULL))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAKAO_CLIENT_ID", "two words"),
        ("KAKAO_APP_ID", "4711x"),
        ("KAKAO_ADMIN_KEY", "새열쇠"),
        ("KAKAO_AUTH_URL", "kauth.kakao.com"),
        ("KAKAO_API_URL", "ftp://kapi.kakao.com"),
        ("KAKAO_REDIRECT_URIS", "whaling.example/oauth"),
        ("KAKAO_REDIRECT_URIS", "https://a.example/#fragment"),
        ("PUBLIC_URL", "whaling.example"),
        ("PUBLIC_URL", ""),
    ],
)
def test_setting_that_cannot_be_right_stops_the_start(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        read(tmp_path, **(FULL | {name: value}))

    assert "\n" not in str(caught.value)


def test_refusal_never_shows_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, **(FULL | {"KAKAO_CLIENT_SECRET": "a secret"}))

    assert "a secret" not in str(caught.value)
