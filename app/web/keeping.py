"""`{% keep key, … %}`: a piece of a page drawn once per key, since most of a page is the same."""

from collections.abc import Callable
from uuid import uuid4

from flask import Flask, request
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

MOST_PIECES = 500


class Keep(Extension):
    """The tag. Whatever the piece depends on, the language too, must be named in its key.

    What is new with every answer (nonces, form tokens) doesn't belong inside. Beyond MOST_PIECES
    it begins anew.
    """

    tags = {"keep"}  # noqa: RUF012 - Jinja's own way to name them

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._pieces: dict[object, Markup] = {}

    def parse(self, parser: Parser) -> nodes.Node:
        """Turn the tag into a call with the piece as its body."""
        line = next(parser.stream).lineno
        key = parser.parse_tuple(explicit_parentheses=False)
        body = parser.parse_statements(("name:endkeep",), drop_needle=True)
        # Compiled templates may be stored and shared: no two pieces may ever have the same name.
        call = self.call_method("_kept", [nodes.Const(uuid4().hex), key])
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _kept(self, piece_name: str, key: object, caller: Callable[[], Markup]) -> Markup:
        full_key = (piece_name, request.script_root, key)
        piece = self._pieces.get(full_key)
        if piece is None:
            if len(self._pieces) >= MOST_PIECES:
                self._pieces.clear()
            piece = self._pieces[full_key] = caller()
        return piece


def init_app(app: Flask) -> None:
    """Teach the templates the tag."""
    app.jinja_env.add_extension(Keep)
