"""What is done once an answer is out, so that nobody waits for it."""

from collections.abc import Callable

from flask import Response, current_app


def afterwards(response: Response, deed: Callable[[], object]) -> Response:
    """Do `deed` when the whole answer was handed to the network, in a context of its own."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    @response.call_on_close
    def _do() -> None:
        with app.app_context():
            deed()

    return response
