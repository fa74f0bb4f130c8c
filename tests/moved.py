"""`run.py` under a clock that a test moves: `python tests/moved.py FILE [options of run.py]`.

The file says which moment it was at which monotonic second, and how fast time has gone since.
"""

import importlib.util
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def move_clock(file: Path) -> None:
    """Put the moved clock in place before anything of the application has read the real one."""

    def utcnow() -> datetime:
        moment, second, speed = json.loads(file.read_text())
        gone = timedelta(seconds=(monotonic() - second) * speed)
        return (datetime.fromisoformat(moment) + gone).astimezone(UTC)

    spec = importlib.util.spec_from_file_location("app.clock", ROOT / "app" / "clock.py")
    assert spec is not None
    assert spec.loader is not None
    clock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(clock)
    clock.utcnow = utcnow  # type: ignore[attr-defined]
    sys.modules[spec.name] = clock


if __name__ == "__main__":
    move_clock(Path(sys.argv[1]))

    import run
    from app import jobs

    # A minute of that clock may last a moment, and after a leap the lease is hours old.
    often = {"trigger": "interval", "seconds": 1}
    jobs.JOBS = tuple(replace(job, trigger=often) for job in jobs.JOBS if job.ident == "minute")
    sys.exit(run.main(sys.argv[2:]))
