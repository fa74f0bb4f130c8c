"""The table of results: what was measured, beside its peer, its limit and the targets."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_HEAD = ("benchmark", "ours", "peer", "limit", "unit", "vs peer", "vs limit", "target", "")


class DifferentResult(Exception):
    """A peer or a limit did something else than we did; its time means nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: medians, and the ratios they must reach. `vs_peer` above 1 is better than the peer;
    `vs_limit` is ours as a share of the limit. `notes` say what was measured how."""

    name: str
    ours: float
    unit: str
    peer: float | None = None
    limit: float | None = None
    target_vs_peer: float | None = None
    target_vs_limit: float | None = None
    more_is_better: bool = True
    notes: tuple[str, ...] = ()

    @property
    def vs_peer(self) -> float | None:
        """How many times better than the peer."""
        return self._better_than(self.peer)

    @property
    def vs_limit(self) -> float | None:
        """Which share of the limit was reached."""
        return self._better_than(self.limit)

    @property
    def met(self) -> bool:
        """Whether every target of this line is reached."""
        pairs = ((self.vs_peer, self.target_vs_peer), (self.vs_limit, self.target_vs_limit))
        return all(want is None or (got is not None and got >= want) for got, want in pairs)

    def as_json(self) -> dict[str, object]:
        """The line for machines."""
        names = ("name", "ours", "peer", "limit", "unit", "vs_peer", "vs_limit")
        return {name: getattr(self, name) for name in (*names, "target_vs_peer", "target_vs_limit")}

    def _better_than(self, other: float | None) -> float | None:
        if other is None:
            return None
        return self.ours / other if self.more_is_better else other / self.ours


def middle(values: list[float]) -> float:
    """The median."""
    return median(values)


def must_equal(what: str, ours: object, theirs: object) -> None:
    """Raise DifferentResult unless both did the same."""
    if ours != theirs:
        raise DifferentResult(f"{what}: ours {ours!r:.300}, theirs {theirs!r:.300}")


def render(rows: list[Row]) -> str:
    """The table as text, with the notes below it."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            text.ljust(width) if column in (0, 4) else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"{row.name}: {note}" for row in rows for note in row.notes]
    return "\n".join([*lines, "", *notes])


def write(rows: list[Row], path: Path) -> None:
    """Keep the lines for machines; lines of benchmarks that were not run now stay."""
    kept = {row["name"]: row for row in _read(path)} | {row.name: row.as_json() for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(kept.values()), indent=2) + "\n", "utf-8")


def _read(path: Path) -> list[dict[str, object]]:
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def _cells(row: Row) -> tuple[str, ...]:
    targets = []
    if row.target_vs_peer is not None:
        targets.append(f"{row.target_vs_peer:g}x")
    if row.target_vs_limit is not None:
        targets.append(f"{row.target_vs_limit:.2f}")
    return (
        row.name,
        _figure(row.ours),
        _figure(row.peer),
        _figure(row.limit),
        row.unit,
        "-" if row.vs_peer is None else f"{row.vs_peer:,.1f}x",
        "-" if row.vs_limit is None else f"{row.vs_limit:.2f}",
        " ".join(targets),
        "met" if row.met else "MISSED",
    )


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"
