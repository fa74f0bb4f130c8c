"""A deed that may take its time, done beside the thread that wants its outcome."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def beside(name: str, deed: Callable[[], T]) -> Future[T]:
    """Begin the deed in a thread that ends with it; the outcome is what it returns or raises."""
    pool = ThreadPoolExecutor(1, name)
    outcome = pool.submit(deed)
    pool.shutdown(wait=False)
    return outcome
