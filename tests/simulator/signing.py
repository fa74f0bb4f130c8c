"""A client for the signed side that signs by hand: hmac, base64, and whatever a test spoils."""

import base64
import hashlib
import hmac
import http.client
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from app.simulator import Simulator
from tests.simulator.clients import Answer

SECRET = "secret-of-the-test-0001"
_DIGESTS = {"HS256": hashlib.sha256, "HS512": hashlib.sha512, "HS384": hashlib.sha384}
Pairs = list[tuple[str, str]]


@dataclass
class Client:
    """One account at one exchange. `spoil` replaces claims (None leaves one out)."""

    sim: Simulator
    exchange: str = "upbit"
    access: str = "access-of-the-test-0001"
    secret: str = SECRET

    def get(self, path: str, *sent: tuple[str, str], **options: Any) -> Answer:
        return self.ask("GET", path, list(sent), **options)

    def delete(self, path: str, *sent: tuple[str, str], **options: Any) -> Answer:
        return self.ask("DELETE", path, list(sent), **options)

    def post(self, path: str, body: dict[str, str], **options: Any) -> Answer:
        return self.ask("POST", path, list(body.items()), body=json.dumps(body), **options)

    def ask(
        self,
        method: str,
        path: str,
        sent: Pairs,
        *,
        body: str | None = None,
        algorithm: str | None = None,
        header: str | None = None,
        timeout: float = 5,
        **spoil: Any,
    ) -> Answer:
        if header is None:
            header = f"Bearer {self.token(sent, algorithm, **spoil)}"
        query = (
            ""
            if body is not None
            else "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sent)
        )
        base = urlsplit(self.sim.url if self.exchange == "upbit" else self.sim.bithumb_url)
        line = http.client.HTTPConnection(str(base.hostname), base.port, timeout=timeout)
        try:
            target = f"{path}?{query}" if query else path
            line.request(method, target, body, {"Authorization": header} if header else {})
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            line.close()

    def token(self, sent: Pairs, algorithm: str | None = None, **spoil: Any) -> str:
        algorithm = algorithm or ("HS512" if self.exchange == "upbit" else "HS256")
        claims: dict[str, Any] = {"access_key": self.access, "nonce": str(uuid.uuid4())}
        if self.exchange == "bithumb":
            claims["timestamp"] = round(time.time() * 1000)
        if sent:
            text = "&".join(f"{name}={value}" for name, value in sent)
            claims["query_hash"] = hashlib.sha512(text.encode()).hexdigest()
            claims["query_hash_alg"] = "SHA512"
        claims = {k: v for k, v in (claims | spoil).items() if v is not None}
        signed = f"{packed({'typ': 'JWT', 'alg': algorithm})}.{packed(claims)}"
        digest = _DIGESTS.get(algorithm, hashlib.sha256)
        raw = hmac.new(self.secret.encode(), signed.encode(), digest).digest()
        return f"{signed}.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"


def packed(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def name_of(answer: Answer) -> tuple[int, str]:
    """Status and error name of a refusal."""
    return answer.status, answer.json["error"]["name"]
