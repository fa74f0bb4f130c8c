"""Pages of people: the way in and out, one's own page and lists, the settings."""

from app.web.accounts import entry, mine, settings

BLUEPRINTS = (entry.bp, mine.bp, settings.bp)

__all__ = ["BLUEPRINTS"]
