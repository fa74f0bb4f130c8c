"""A person's language and theme: chosen once, the same in every browser."""

from collections.abc import Mapping

from sqlalchemy import func, update

from app.db import transaction
from app.domain.accounts import check_look
from app.domain.errors import NotFound
from app.models import User


def choose(*, user_id: int, chosen: Mapping[str, str | None]) -> None:
    """Keep a person's `language`, `theme` or both; None takes a choice back.

    What isn't named stays. Raises InvalidInput for what there isn't, NotFound.
    """
    _set(user_id, check_look(chosen))


def take_over(*, user_id: int, chosen: Mapping[str, str]) -> None:
    """Let what was chosen before signing in be the choice of an account that has none of its own.

    Raises InvalidInput for what there isn't, NotFound.
    """
    wanted = check_look(chosen)
    _set(user_id, {name: func.coalesce(getattr(User, name), wanted[name]) for name in wanted})


def _set(user_id: int, values: Mapping[str, object]) -> None:
    if not values:
        return
    with transaction() as session:
        done = session.execute(
            update(User)
            .where(User.id == user_id)
            .values(values)
            .execution_options(synchronize_session=False)
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound
