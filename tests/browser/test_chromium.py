"""What happens where there is no Chromium."""

import pytest

from tests.browser import chromium


def test_absent_browser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert chromium.path() is None
    with pytest.raises(RuntimeError, match="no Chromium"), chromium.browsing():
        pass


@pytest.mark.parametrize(("value", "required"), [("", False), ("true", True)])
def test_absence_is_a_failure_on_ci_alone(
    monkeypatch: pytest.MonkeyPatch, value: str, required: bool
) -> None:
    monkeypatch.setenv("CI", value)

    assert chromium.required() is required
