"""Kakao on this machine: a real HTTP server that signs people in, refuses them, and breaks."""

import base64
import hashlib
import html
import json
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET, NATIVE_KEY = "rest-key", "client-secret", "native-key"
APP_ID, ADMIN_KEY = "4711", "admin-key"
SETTINGS = {
    "kakao_client_id": CLIENT_ID,
    "kakao_client_secret": CLIENT_SECRET,
    "kakao_native_key": NATIVE_KEY,
    "kakao_app_id": APP_ID,
    "kakao_admin_key": ADMIN_KEY,
}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
MINA = 1_234_567_890
EVENT = "https://schemas.kakao.com/events/oauth/user-unlinked"


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)}, private=True)


#: Made once: a key costs more than all the rest of a test.
_first_key = cache(_new_key)


@dataclass
class _Code:
    redirect_uri: str
    nonce: str | None
    challenge: str | None
    person: int


class _Server(ThreadingHTTPServer):
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A caller that has had enough is what some tests are about."""


@dataclass
class FakeKakao:
    """One app with its people. `person` is who sits at the browser.

    `decision` is what they do: `ask` shows a page with buttons, `approve` and `deny` answer at
    once. `broken` maps a path to `html`, `error`, `slow`, `cut` or `empty`.
    """

    person: int = MINA
    decision: str = "approve"
    profiles: dict[int, dict[str, Any]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    redirect_uris: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    unlinked: list[str] = field(default_factory=list)
    openid: bool = True
    overrides: dict[str, Any] = field(default_factory=dict)
    picture: bytes = PNG
    codes: dict[str, _Code] = field(default_factory=dict)
    tokens: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.key = _first_key()
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"kakao": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.profiles.setdefault(MINA, self.profile("미나"))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def settings(self, public_url: str = "http://localhost") -> dict[str, Any]:
        """The settings that make an application use this Kakao; its callback is registered."""
        self.redirect_uris.add(f"{public_url}/login/kakao/callback")
        addresses = {"kakao_auth_url": self.url, "kakao_api_url": self.url}
        return SETTINGS | addresses | {"public_url": public_url}

    def rotate_keys(self) -> None:
        """Sign with another key from now on."""
        self.key = _new_key()

    def profile(self, nickname: str) -> dict[str, Any]:
        """What a person shows who agreed to everything."""
        url = f"{self.url}/picture.png"
        shown = {"nickname": nickname, "profile_image_url": url, "is_default_image": False}
        return {"kakao_account": {"profile": shown}}

    def id_token(self, person: int = MINA, *, typ: str = "JWT", **claims: Any) -> str:
        """A statement about a person, signed by the present key; None drops a claim."""
        now = int(datetime.now(UTC).timestamp())
        values = {
            "iss": self.url, "aud": CLIENT_ID, "sub": str(person),
            "iat": now, "auth_time": now, "exp": now + 3600,
        } | claims  # fmt: skip
        said = {name: value for name, value in values.items() if value is not None}
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, said, self.key, ["RS256"], default_type=typ)

    def event(self, person: int = MINA, *, event: str = EVENT, **claims: Any) -> str:
        """A message about an account."""
        subject = {"subject_type": "iss-sub", "iss": self.url, "sub": str(person)}
        said = {"events": {event: {"subject": subject}}, "sub": None, "exp": None} | claims
        return self.id_token(person, typ="secevent+jwt", **said)

    def access_token(self, person: int = MINA, *, app_id: str = APP_ID) -> str:
        """A key to a person's account, made for one app."""
        token = secrets.token_urlsafe(16)
        self.tokens[token] = (person, app_id)
        return token

    def code(self, redirect_uri: str, person: int = MINA, **bound: str | None) -> str:
        """A code as Kakao hands it to the browser."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = _Code(redirect_uri, bound.get("nonce"), bound.get("challenge"), person)
        return code


#: Status, media type (or where a redirect leads), body.
Answer = tuple[int, str, bytes]


def _json(document: object, status: int = 200) -> Answer:
    return status, "application/json;charset=UTF-8", json.dumps(document).encode()


def _refused(error: str, code: str, status: int = 400) -> Answer:
    told = {"error": error, "error_description": f"refused ({code})", "error_code": code}
    return _json(told, status)


def _denied(code: int, status: int = 401) -> Answer:
    return _json({"msg": "this access token does not exist", "code": code}, status)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    kakao: FakeKakao
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.kakao.asked.append(f"{self.command} {parts.path}")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not self._breaks(parts.path):
            self._answer(self._route(parts.path, query))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        form = parse_qs(self.rfile.read(length).decode())
        path = urlsplit(self.path).path
        self.kakao.asked.append(f"POST {path}")
        if not self._breaks(path):
            self._answer(self._route(path, {name: values[0] for name, values in form.items()}))

    def log_message(self, *_: object) -> None:
        """The tests' output is for the tests."""

    def _breaks(self, path: str) -> bool:
        mode = self.kakao.broken.get(path)
        if mode == "slow":
            self.kakao.over.wait(20)
        if mode in ("slow", "cut"):
            self.close_connection = True
        if mode in ("html", "error", "empty"):
            pages = {"html": (200, "text/html", b"<html>maintenance</html>"), "empty": _json({})}
            self._answer(pages.get(mode, _json({"code": -1, "msg": "internal"}, 500)))
        return mode is not None

    def _answer(self, answer: Answer) -> None:
        status, told, body = answer
        self.send_response(status)
        self.send_header("Location" if status == 302 else "Content-Type", told)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _route(self, path: str, given: dict[str, str]) -> Answer:
        routes = {
            "/.well-known/openid-configuration": self._discovery,
            "/.well-known/jwks.json": self._jwks,
            "/oauth/authorize": self._authorize,
            "/oauth/token": self._token,
            "/v2/user/me": self._me,
            "/v1/user/access_token_info": self._token_info,
            "/v1/user/unlink": self._unlink,
            "/picture.png": self._picture,
        }
        handle = routes.get(path)
        return handle(given) if handle else (404, "text/plain", b"")

    def _discovery(self, _given: dict[str, str]) -> Answer:
        url = self.kakao.url
        return _json(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/oauth/authorize",
                "token_endpoint": f"{url}/oauth/token",
                "jwks_uri": f"{url}/.well-known/jwks.json",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _jwks(self, _given: dict[str, str]) -> Answer:
        return _json(KeySet([self.kakao.key]).as_dict(private=False))

    def _authorize(self, given: dict[str, str]) -> Answer:
        """The page where people agree; the buttons lead here again with their decision."""
        if given.get("client_id") != CLIENT_ID:
            return _refused("invalid_client", "KOE101", 401)
        if given.get("redirect_uri") not in self.kakao.redirect_uris:
            return _refused("invalid_request", "KOE006")
        decision = given.pop("decision", self.kakao.decision)
        if decision == "ask":
            return self._page(given)
        return self._decided(given, decision)

    def _page(self, given: dict[str, str]) -> Answer:
        links = ""
        for word in ("approve", "deny"):
            query = html.escape(urlencode(given | {"decision": word}))
            links += f'<a id="{word}" href="?{query}">{word}</a> '
        page = (
            f"<!doctype html><html lang=ko><title>Kakao</title><link rel=icon href=data:,>{links}"
        )
        return 200, "text/html; charset=utf-8", page.encode()

    def _decided(self, given: dict[str, str], decision: str) -> Answer:
        answer = {"error": "access_denied", "error_description": "User denied access"}
        if decision == "approve":
            bound = {"nonce": given.get("nonce"), "challenge": given.get("code_challenge")}
            answer = {"code": self.kakao.code(given["redirect_uri"], self.kakao.person, **bound)}
        if "state" in given:
            answer["state"] = given["state"]
        return 302, f"{given['redirect_uri']}?{urlencode(answer)}", b""

    def _token(self, given: dict[str, str]) -> Answer:
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused("invalid_client", "KOE010", 401)
        code = self.kakao.codes.pop(given.get("code", ""), None)
        if code is None:
            return _refused("invalid_grant", "KOE320")
        if code.redirect_uri != given.get("redirect_uri"):
            return _refused("invalid_grant", "KOE303")
        if code.challenge and code.challenge != _challenge(given.get("code_verifier", "")):
            return _refused("invalid_grant", "KOE320")
        return _json(self._tokens(code))

    def _tokens(self, code: _Code) -> dict[str, object]:
        token = self.kakao.access_token(code.person)
        given = {"token_type": "bearer", "access_token": token, "expires_in": 21599}
        if not self.kakao.openid:
            return given
        claims = {"nonce": code.nonce} | self.kakao.overrides
        return given | {"id_token": self.kakao.id_token(code.person, **claims)}

    def _bearer(self) -> tuple[int, str] | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.kakao.tokens.get(token)

    def _me(self, _given: dict[str, str]) -> Answer:
        found = self._bearer()
        if found is None:
            return _denied(-401)
        return _json({"id": found[0]} | self.kakao.profiles.get(found[0], {}))

    def _token_info(self, _given: dict[str, str]) -> Answer:
        found = self._bearer()
        if found is None:
            return _denied(-401)
        return _json({"id": found[0], "expires_in": 7199, "app_id": int(found[1])})

    def _unlink(self, given: dict[str, str]) -> Answer:
        if self.headers.get("Authorization") != f"KakaoAK {ADMIN_KEY}":
            return _denied(-401)
        self.kakao.unlinked.append(given["target_id"])
        return _json({"id": int(given["target_id"])})

    def _picture(self, _given: dict[str, str]) -> Answer:
        return 200, "image/png", self.kakao.picture
