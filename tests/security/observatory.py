"""Scores an answer by the rules of Mozilla's HTTP Observatory: 100 to begin with, more or less.

What a scan of one answer can't see isn't scored: the redirect from plain HTTP is the proxy's, and
scripts of other hosts, which would need hashes, are ruled out by the policy that is scored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie

from werkzeug.datastructures import Headers

HALF_A_YEAR = 182 * 24 * 3600
#: From here on an answer is good enough to be praised for more than what everybody must have.
PRAISED_FROM = 90
_PRIVATE_REFERRERS = {
    "no-referrer",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
}


@dataclass(frozen=True)
class Score:
    """Points by rule; praise counts only for whom the faults leave at least 90."""

    points: Mapping[str, int]

    @property
    def total(self) -> int:
        """All in all; from 100 on it is an A+."""
        faults = 100 + sum(value for value in self.points.values() if value < 0)
        praise = sum(value for value in self.points.values() if value > 0)
        return max(0, faults + praise if faults >= PRAISED_FROM else faults)


def score(headers: Headers) -> Score:
    """The score of an answer that came over TLS to a page of some other host."""
    policy = _policy(headers.get("Content-Security-Policy", ""))
    return Score(
        {
            "content policy": _content_policy(policy),
            "cookies": _cookies(headers.getlist("Set-Cookie")),
            "other origins": _other_origins(headers),
            "referrer": _referrer(headers.get("Referrer-Policy")),
            "strict transport": _transport(headers.get("Strict-Transport-Security", "")),
            "sniffing": 0 if headers.get("X-Content-Type-Options") == "nosniff" else -5,
            "framing": _framing(headers.get("X-Frame-Options", ""), policy),
            "resources": _resources(headers.get("Cross-Origin-Resource-Policy", "")),
        }
    )


def _policy(text: str) -> dict[str, set[str]]:
    parts = [part.split() for part in text.split(";") if part.strip()]
    return {part[0].lower(): {word.lower() for word in part[1:]} for part in parts}


def _content_policy(policy: dict[str, set[str]]) -> int:
    if not policy:
        return -25
    default = policy.get("default-src", {"*"})
    scripts, styles = policy.get("script-src", default), policy.get("style-src", default)
    if _lets_anything_in(scripts) or _lets_anything_in(policy.get("object-src", default)):
        return -20
    if "'unsafe-eval'" in scripts:
        return -10
    if "'unsafe-inline'" in styles or _is_wide(styles):
        return 0
    return 10 if default == {"'none'"} else 5


def _lets_anything_in(sources: set[str]) -> bool:
    guarded = any(source.startswith(("'nonce-", "'sha")) for source in sources)
    if "'unsafe-inline'" in sources and not guarded:
        return True
    return _is_wide(sources) and "'strict-dynamic'" not in sources


def _is_wide(sources: set[str]) -> bool:
    return bool(sources & {"*", "http:", "https:", "data:"})


def _cookies(lines: list[str]) -> int:
    """The worst cookie counts; one for a session must be hidden from scripts as well."""
    return min((_cookie(line) for line in lines), default=0)


def _cookie(line: str) -> int:
    ((name, cookie),) = SimpleCookie(line).items()
    if not cookie["secure"]:
        return -40
    if not cookie["httponly"]:
        return -30
    if not _keeps_its_prefix(name, cookie["path"], cookie["domain"]):
        return -20
    return 5 if cookie["samesite"].lower() in ("lax", "strict") else 0


def _keeps_its_prefix(name: str, path: str, domain: str) -> bool:
    return not name.startswith("__Host-") or (path == "/" and not domain)


def _other_origins(headers: Headers) -> int:
    allowed = headers.get("Access-Control-Allow-Origin")
    with_cookies = headers.get("Access-Control-Allow-Credentials") == "true"
    return -50 if allowed in ("*", "null") or (with_cookies and allowed is not None) else 0


def _referrer(policy: str | None) -> int:
    if policy is None:
        return 0
    last = policy.split(",")[-1].strip().lower()
    return 5 if last in _PRIVATE_REFERRERS else -5


def _transport(header: str) -> int:
    age = re.search(r"max-age=(\d+)", header)
    if not age:
        return -20
    if int(age[1]) < HALF_A_YEAR:
        return -10
    return 5 if "preload" in header and "includesubdomains" in header.lower() else 0


def _framing(header: str, policy: dict[str, set[str]]) -> int:
    ancestors = policy.get("frame-ancestors")
    if ancestors is not None and not _is_wide(ancestors):
        return 5
    return 0 if header.upper() in ("DENY", "SAMEORIGIN") else -20


def _resources(header: str) -> int:
    return {"same-origin": 10, "same-site": 10, "cross-origin": 0}.get(header.strip(), 0)
