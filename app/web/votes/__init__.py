"""Votes on pages: the list, one vote with its evidence, answering it, voiding it."""

from app.web.votes.answering import bp as _answering
from app.web.votes.detail import bp as _detail
from app.web.votes.evidence import bp as _evidence
from app.web.votes.listing import bp as _listing
from app.web.votes.voiding import bp as _voiding

BLUEPRINTS = (_listing, _detail, _evidence, _answering, _voiding)
