"""Kakao's addresses: where a sign-in begins, and what turns a proof into a person."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from authlib.oauth2.client import OAuth2Client

from app.domain.identities import (
    AccessTokenProof,
    AccountEvent,
    CodeProof,
    IdTokenProof,
    KakaoRefused,
    Profile,
    Proof,
)
from app.exchanges.base import ExchangeError
from app.exchanges.http import HttpClient, Reply
from app.kakao.answers import claimed, document, number, reason, shown, text, unavailable
from app.kakao.tokens import MAX_TOKEN, Keys, account_event, id_claims

log = logging.getLogger(__name__)

SCOPE = "openid profile_nickname profile_image"
PICTURE_HOSTS = (".kakaocdn.net",)
MAX_PICTURE = 1024 * 1024
MAX_ANSWER = 256 * 1024
#: A person waits for these answers, so they are given up sooner than the exchange's.
PATIENCE_S = 5.0
_USER_INFO = {"secure_resource": "true"}


@dataclass(frozen=True, slots=True)
class KakaoApp:
    """Our app as Kakao's console knows it; what is empty isn't used."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    native_key: str = ""
    app_id: str = ""
    admin_key: str = field(default="", repr=False)
    auth_url: str = "https://kauth.kakao.com"
    api_url: str = "https://kapi.kakao.com"


class _Open:
    """Nobody queues here: each call is one person signing in."""

    def enter(self) -> None:
        """Go ahead."""

    def answered(self, status: int, headers: Mapping[str, str]) -> float:
        """Nothing is asked of the next caller."""
        return 0.0


class Kakao:
    """One app at Kakao. Opens no socket before its first call; threads may share it."""

    def __init__(
        self, app: KakaoApp, *, user_agent: str = "whaling", patience_s: float = PATIENCE_S
    ) -> None:
        self._app = app
        self._user_agent = user_agent
        self._patience_s = patience_s
        self._auth = self._line(app.auth_url)
        self._api = self._line(app.api_url)
        self._gate = _Open()
        self._keys = Keys(self._fetch_keys)
        self._oauth = OAuth2Client(None, app.client_id, scope=SCOPE, code_challenge_method="S256")

    def authorize_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to sign in: one code, for us, bound to this browser."""
        url, _state = self._oauth.create_authorization_url(
            f"{self._app.auth_url}/oauth/authorize",
            state=state,
            nonce=nonce,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
        )
        return str(url)

    def prove(self, proof: Proof, *, now: datetime) -> Profile:
        """Whom a proof names.

        A code must be good for our app, and its id token, where one comes, for this sign-in. An
        id token must be made out to one of our keys, an access token to our app. Raises
        KakaoUnavailable or KakaoRefused.
        """
        if isinstance(proof, CodeProof):
            return self._by_code(proof, now)
        if isinstance(proof, IdTokenProof):
            return claimed(self._claims(proof.id_token, proof.nonce, now))
        return self._by_access_token(proof)

    def picture(self, url: str) -> bytes | None:
        """The picture at an address of Kakao's own hosts, up to 1 MiB; None from any other."""
        parts = self._picture_address(url)
        if parts is None:
            return None
        line = self._line(f"{parts.scheme}://{parts.netloc}")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            reply = line.fetch(path, {}, self._gate, max_bytes=MAX_PICTURE)
        except ExchangeError as error:
            log.warning("kakao_picture %s", error)
            return None
        finally:
            line.close()
        return reply.body if reply.status == 200 else None

    def _picture_address(self, url: str) -> SplitResult | None:
        """The parts of an address that may be asked for a picture, else None."""
        try:
            parts = urlsplit(url)
            is_own = parts.netloc == urlsplit(self._app.api_url).netloc
            is_kakaos = parts.scheme == "https" and (parts.hostname or "").endswith(PICTURE_HOSTS)
            return parts if is_own or (is_kakaos and parts.port in (None, 443)) else None
        except ValueError:  # no address at all: half an IPv6 one, a port that is no number
            return None

    def unlink(self, subject: str) -> None:
        """Tell Kakao that a person left; nothing without the admin key. Raises KakaoUnavailable."""
        if not self._app.admin_key:
            return
        reply = self._post(
            self._api,
            "/v1/user/unlink",
            {"target_id_type": "user_id", "target_id": subject},
            {"Authorization": f"KakaoAK {self._app.admin_key}"},
        )
        log.info("kakao_unlink status=%d", reply.status)

    def event(self, token: str, *, now: datetime) -> AccountEvent:
        """What a signed message about an account says. Raises KakaoRefused."""
        return account_event(
            token,
            keys=self._keys,
            issuer=self._app.auth_url,
            audience=self._app.client_id,
            now=now,
        )

    def _by_code(self, proof: CodeProof, now: datetime) -> Profile:
        form = {
            "grant_type": "authorization_code",
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "redirect_uri": proof.redirect_uri,
            "code": proof.code,
            "code_verifier": proof.verifier,
        }
        sent = {name: value for name, value in form.items() if value}
        reply = self._post(self._auth, "/oauth/token", sent)
        answer = document(reply)
        if reply.status != 200:
            raise KakaoRefused(reason(answer))
        access_token = text(answer, "access_token")
        subject = self._vouched(answer, proof.nonce, now)
        profile = self._profile(access_token)
        if subject is not None and subject != profile.subject:
            raise KakaoRefused("subject_differs")
        return profile

    def _vouched(self, answer: Mapping[str, Any], nonce: str | None, now: datetime) -> str | None:
        """The person of the id token. A sign-in that set a nonce insists on one."""
        if answer.get("id_token") is None and nonce is None:
            return None
        if answer.get("id_token") is None:
            log.error("kakao gave no id token: switch OpenID Connect on in its console")
            raise KakaoRefused("id_token_missing")
        return str(self._claims(text(answer, "id_token"), nonce, now)["sub"])

    def _by_access_token(self, proof: AccessTokenProof) -> Profile:
        """Any app's token opens the user's page, so ask first which app it was made for."""
        if len(proof.access_token) > MAX_TOKEN:
            raise KakaoRefused("token_too_long")
        told = self._told("/v1/user/access_token_info", proof.access_token)
        if not self._app.app_id or str(told.get("app_id")) != self._app.app_id:
            raise KakaoRefused("app_id")
        profile = self._profile(proof.access_token)
        if profile.subject != number(told):
            raise KakaoRefused("subject_differs")
        return profile

    def _profile(self, access_token: str) -> Profile:
        return shown(self._told("/v2/user/me", access_token, _USER_INFO))

    def _told(
        self, path: str, access_token: str, params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What Kakao's API says to the holder of a token."""
        if not (access_token.isascii() and access_token.isprintable()):
            raise KakaoRefused("token_invalid")
        headers = {"Authorization": f"Bearer {access_token}"}
        try:
            reply = self._api.fetch(path, params or {}, self._gate, headers=headers)
        except ExchangeError as error:
            raise unavailable(path, error) from error
        answer = document(reply)
        if reply.status != 200 and answer.get("code") == -1:
            raise unavailable(path, "a passing failure of its own")
        if reply.status != 200:
            raise KakaoRefused(reason(answer))
        return answer

    def _claims(self, id_token: str, nonce: str | None, now: datetime) -> dict[str, Any]:
        return id_claims(
            id_token,
            keys=self._keys,
            issuer=self._app.auth_url,
            audiences=(self._app.client_id, self._app.native_key),
            nonce=nonce,
            now=now,
        )

    def _fetch_keys(self) -> dict[str, Any]:
        path = "/.well-known/jwks.json"
        try:
            return document(self._auth.fetch(path, {}, self._gate))
        except ExchangeError as error:
            raise unavailable(path, error) from error

    def _post(
        self,
        line: HttpClient,
        path: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        try:
            return line.post(path, form, self._gate, headers)
        except ExchangeError as error:
            raise unavailable(path, error) from error

    def _line(self, base_url: str) -> HttpClient:
        return HttpClient(
            base_url,
            read_timeout=self._patience_s,
            total_timeout=self._patience_s,
            max_bytes=MAX_ANSWER,
            user_agent=self._user_agent,
        )
