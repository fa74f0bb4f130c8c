"""Our own files: each has a fingerprint, so that browsers may keep it."""

import re
from pathlib import Path

from flask import Flask

from app.web.assets import _is_there, chart_library


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


def test_library_that_draws_charts_has_an_address_only_where_it_is(
    bare_app: Flask, tmp_path: Path
) -> None:
    library = tmp_path / "vendor" / "lightweight-charts.mjs"
    usual, bare_app.static_folder = bare_app.static_folder, str(tmp_path)
    try:
        with bare_app.test_request_context():
            without = chart_library()
            library.parent.mkdir()
            library.write_text("export {};")
            _is_there.cache_clear()
            found = chart_library()
    finally:
        bare_app.static_folder = usual
        _is_there.cache_clear()

    assert without == ""
    assert re.fullmatch(r"/[^?]+/vendor/lightweight-charts\.mjs\?v=[0-9a-f]{10}", found)
