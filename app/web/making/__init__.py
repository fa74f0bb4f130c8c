"""Make a question: four steps, a summary, and the deed."""

from app.web.making.pages import bp

__all__ = ["bp"]
