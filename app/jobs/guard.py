"""The guard around each step and each row: the project's one broad `except`."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.clock import monotonic
from app.exchanges.base import ExchangeError
from app.extensions import db

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Steps:
    """One run of a job: the moment it began, what its steps did, and whether all went well."""

    now: datetime
    began: float = field(default_factory=monotonic)
    report: dict[str, Any] = field(default_factory=dict)
    ok: bool = True

    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self.began

    def moment(self) -> datetime:
        """The present, counted from the moment the run was told."""
        return self.now + timedelta(seconds=self.elapsed_s())

    @contextmanager
    def guarded(
        self, step: str, on_error: Callable[[Exception], None] | None = None
    ) -> Iterator[None]:
        """Run a step so that its failure is logged, told to `on_error`, and stops nothing else."""
        try:
            yield
        except Exception as error:
            db.session.rollback()
            self.ok = False
            self.report.setdefault("failed", []).append(step)
            if isinstance(error, ExchangeError):
                log.warning("step=%s failed: %s: %s", step, type(error).__name__, error)
            else:
                log.exception("step=%s failed", step)
            if on_error is not None:
                with self.guarded(f"{step}: on error"):
                    on_error(error)
