"""How much memory a process has in use."""

import re
from pathlib import Path


def resident_mb(pid: int | str = "self") -> float:
    """The resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024
