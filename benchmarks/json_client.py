"""A client of the JSON API, and how many of its requests are answered per second."""

import json
from collections.abc import Callable, Sequence

from benchmarks.client import Client, at_once


def signed_in(address: str, name: str, password: str) -> tuple[Client, str]:
    """A connection and the access token of this person."""
    client = Client(address)
    body = {"nickname": name, "password": password}
    status, answer = client.send(request("POST", "/api/v1/auth/local", body=body))
    if status != 200:
        raise RuntimeError(f"{name} could not sign in: {status}")
    return client, json.loads(answer)["token"]["access_token"]


def request(method: str, path: str, token: str = "", body: object = None, **headers: str) -> bytes:
    """A request as bytes; underscores in the names of headers are dashes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench.example", "Accept: application/json"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    text = b"" if body is None else json.dumps(body).encode()
    if method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    return "\r\n".join([*lines, "", ""]).encode() + text


def per_second(
    clients: Sequence[Client], requests: Sequence[Sequence[bytes]], status: int
) -> float:
    """Answers per second when each client sends its requests, all of which get this status."""

    def work(client: Client, own: Sequence[bytes]) -> Callable[[], None]:
        def send() -> None:
            for one in own:
                got, body = client.send(one)
                if got != status:
                    raise RuntimeError(f"{got} instead of {status}: {body[:200]!r}")

        return send

    works = [work(client, own) for client, own in zip(clients, requests, strict=True)]
    return sum(map(len, requests)) / at_once(works)
