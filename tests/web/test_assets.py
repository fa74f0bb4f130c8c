"""Our own files: each has a fingerprint, so that browsers may keep it."""

import re

from flask import Flask


def test_file_with_a_fingerprint_may_be_kept(bare_app: Flask) -> None:
    visitor = bare_app.test_client()
    page = visitor.get("/nowhere").text
    addresses = re.findall(r'(?:href|src)="(/[^"]*static/[^"]+)"', page)

    assert len(addresses) >= 8
    for address in addresses:
        answer = visitor.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        answer.close()
    with visitor.get("/static/css/pages.css") as plain:
        assert "immutable" not in plain.headers["Cache-Control"]
