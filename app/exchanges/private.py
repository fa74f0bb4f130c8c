"""Calls about one account: signed and paced; an answer is what was asked for, or an error."""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from app.exchanges.base import Unavailable
from app.exchanges.http import Gate, HttpClient, Reply
from app.exchanges.refusals import refusal
from app.exchanges.signing import Pairs, Signer, pairs
from app.exchanges.wire import BadField, Row, decode

T = TypeVar("T")


class PrivateApi:
    """The private side of one exchange, as one person's keys see it."""

    def __init__(self, http: HttpClient, signer: Signer) -> None:
        self._http = http
        self._signer = signer

    def read(self, path: str, gate: Gate, sent: Pairs = ()) -> object:
        """What a GET answers. Tried once more, signed anew, when the line breaks."""
        reply = self._http.fetch(path, sent, gate, sign=lambda: self._signer.headers(sent))
        return told(reply, path)

    def post(self, path: str, gate: Gate, body: Mapping[str, str]) -> object:
        """What a POST answers. Sent once."""
        sent = pairs(body)
        reply = self._http.send(
            "POST", path, gate, sign=lambda: self._signer.headers(sent), body=body
        )
        return told(reply, path)

    def delete(self, path: str, gate: Gate, sent: Pairs) -> object:
        """What a DELETE answers. Sent once."""
        reply = self._http.send(
            "DELETE", path, gate, sign=lambda: self._signer.headers(sent), params=sent
        )
        return told(reply, path)


def told(reply: Reply, where: str) -> object:
    """The content of a good answer; else the error that `refusals` knows, or Unavailable.

    Nothing of the body gets into a message: it may hold keys and balances.
    """
    if reply.is_html:
        raise Unavailable(f"{where}: HTTP {reply.status} with a web page")
    try:
        body = decode(reply.body.decode())
    except UnicodeDecodeError:
        raise Unavailable(f"{where}: broken UTF-8") from None
    except Unavailable as error:
        raise Unavailable(f"{where}: HTTP {reply.status}: {error}") from None
    wrong = body.get("error") if isinstance(body, dict) else None
    if wrong is not None or not 200 <= reply.status < 300:
        raise refusal(reply.status, wrong.get("name") if isinstance(wrong, dict) else None, where)
    return body


def as_row(body: object, where: str) -> Row:
    """The answer as an object; Unavailable if it is none."""
    if not isinstance(body, dict):
        raise Unavailable(f"{where}: not an object")
    return body


def as_rows(body: object, where: str) -> list[Row]:
    """The answer as a list of objects; Unavailable if it is none."""
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise Unavailable(f"{where}: not a list of objects")
    return cast(list[Row], body)


def read(parse: Callable[[], T], where: str) -> T:
    """What `parse` makes of an answer; what it can't read is no answer: Unavailable."""
    try:
        return parse()
    except BadField as error:
        raise Unavailable(f"{where}: {error}") from error
