"""Pages of people: the way in and out, one's own page and lists, the settings."""

from app.web.accounts import data, entry, hooks, kakao, mine, settings

BLUEPRINTS = (entry.bp, kakao.bp, hooks.bp, mine.bp, settings.bp, data.bp)

__all__ = ["BLUEPRINTS"]
