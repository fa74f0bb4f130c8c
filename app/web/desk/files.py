"""What a person takes along from the desk, as files that nobody else keeps a copy of."""

from collections.abc import Iterable

from flask import Response


def as_file(pieces: Iterable[str], name: str) -> Response:
    """An attachment of this name: lines for a spreadsheet, or a text."""
    kind = "text/csv" if name.endswith(".csv") else "text/plain"
    response = Response("".join(pieces), content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
