"""Which way imports point, and the habits that a reader of the tree may rely on."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
#: What each room may import of the application; `services` see exchanges through `base` alone.
MAY_IMPORT = {
    "domain": ("domain",),
    "models": ("domain", "db", "extensions", "models"),
    "services": (
        "domain", "db", "extensions", "models", "services", "analysis", "exchanges.base",
        "kakao.base", "clock",
    ),
    # Figures over arrays: the one room that may load numpy, and only when it is first called.
    "analysis": ("domain", "analysis"),
    "exchanges": ("domain", "exchanges", "clock"),
    # Kakao goes out through the same door as the exchanges, and is seen through its base alone.
    "kakao": ("domain", "kakao", "exchanges.base", "exchanges.http", "clock"),
    "simulator": ("domain", "simulator", "clock"),
    "web": (
        "domain", "services", "db", "extensions", "clock", "wiring", "messages", "i18n", "version",
        "afterwards", "web",
    ),
    "api": (
        "domain", "services", "db", "extensions", "clock", "wiring", "messages", "i18n", "version",
        "addresses", "afterwards", "api",
    ),
    "jobs": ("domain", "services", "exchanges.base", "db", "extensions", "clock", "wiring", "jobs"),
    "wiring": ("exchanges", "kakao", "domain", "clock", "version"),
    "version": (),
    "addresses": ("domain",),
    "db": ("domain", "extensions", "db"),
    "clock": (),
    "extensions": (),
    "schema": (),
    "afterwards": (),
    "messages": ("i18n", "domain"),
    "i18n": (),
}  # fmt: skip
STANDARD_ONLY = ("domain", "clock")
FORBIDDEN_IN_RULES = ("random", "time", "os", "socket", "logging")
SOURCES = sorted(path for path in APP.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def room(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((_resolved(node.module, alias.name), node) for alias in node.names)


def _resolved(module: str, name: str) -> str:
    """`from package import module` names the module; `from module import thing` the module too."""
    inner = ROOT / module.replace(".", "/") / name
    return f"{module}.{name}" if inner.with_suffix(".py").exists() or inner.is_dir() else module


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_imports_point_one_way(path: Path) -> None:
    allowed = MAY_IMPORT.get(room(path))
    if allowed is None:  # the factory, the commands and the demo stand above the rooms
        return

    wrong = [
        name
        for name, _ in imports(path)
        if name.startswith("app.") and not _is_allowed(name.removeprefix("app."), allowed)
    ]

    assert wrong == []


def _is_allowed(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nobody_inside_imports_the_factory(path: Path) -> None:
    assert [name for name, _ in imports(path) if name == "app"] == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_imports_stand_at_the_top(path: Path) -> None:
    hidden = [
        node.name
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(isinstance(inner, (ast.Import, ast.ImportFrom)) for inner in ast.walk(node))
    ]

    assert hidden == []


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if room(path) in STANDARD_ONLY], ids=named
)
def test_rules_know_the_standard_library_alone(path: Path) -> None:
    outside = [name for name, _ in imports(path) if not _is_standard(name)]

    assert outside == []
    if room(path) == "domain":
        assert [name for name, _ in imports(path) if name in FORBIDDEN_IN_RULES] == []


def _is_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top == "app" or top in sys.stdlib_module_names


def test_no_import_goes_in_a_circle() -> None:
    graph = {_module(path): {name for name, _ in imports(path)} for path in SOURCES}
    finished: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in finished or module not in graph:
            return
        for target in graph[module]:
            visit(target, (*trail, module))
        finished.add(module)

    for module in graph:
        visit(module, ())


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_only_the_transaction_commits() -> None:
    committing = {
        named(path)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr == "commit")
        or (isinstance(node, ast.Constant) and node.value == "COMMIT")
    }

    assert committing == {"app/db/writing.py"}


def test_only_http_opens_sockets() -> None:
    opening = {
        named(path)
        for path in SOURCES
        if room(path) != "simulator"
        for name, _ in imports(path)
        if name.partition(".")[0] in ("requests", "urllib3", "httpx", "socket", "http")
        and name != "http.HTTPStatus"
    }

    assert opening <= {"app/exchanges/http.py", "app/exchanges/session.py", "app/jobs/lease.py"}


def test_only_one_module_opens_websockets() -> None:
    opening = {
        named(path)
        for path in SOURCES
        if room(path) != "simulator"
        for name, _ in imports(path)
        if name.partition(".")[0] == "websockets"
    }

    assert opening <= {"app/exchanges/websocket.py"}


def test_numpy_is_loaded_by_the_analysis_alone() -> None:
    loading = {
        room(path)
        for path in SOURCES
        for name, _ in imports(path)
        if name.partition(".")[0] == "numpy"
    }

    assert loading <= {"analysis"}


def test_broad_excepts_are_the_guards_alone() -> None:
    broad = {
        named(path)
        for path in SOURCES
        if room(path) != "simulator"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    }

    assert broad == {"app/jobs/guard.py"}


def test_money_rules_never_use_floats() -> None:
    floating = {
        named(path)
        for path in SOURCES
        if room(path) == "domain"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    }

    assert floating == set()


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_module_says_what_belongs_in_it(path: Path) -> None:
    assert ast.get_docstring(tree(path))
