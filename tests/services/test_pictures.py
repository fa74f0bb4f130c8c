"""People's pictures: fetched once, kept here, gone when they go."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.identities import CodeProof
from app.extensions import db
from app.models import Picture, User
from app.services import identities, pictures
from tests.factories import NOW
from tests.fakes import FakeProvider

PNG = b"\x89PNG\r\n\x1a\n picture"
JPEG = b"\xff\xd8\xff picture"
URL = "https://k.kakaocdn.net/a.jpg"


def enter(kakao: FakeProvider, *, days: int = 0) -> int:
    proof = CodeProof("code", "https://whaling.example/back")
    now = NOW + timedelta(days=days)
    return identities.enter(kakao=kakao, proof=proof, now=now).user_id


def showing(url: str | None, content: bytes | None, *, default: bool = False) -> FakeProvider:
    kakao = FakeProvider(picture_url=url, is_default_picture=default)
    if url is not None and content is not None:
        kakao.pictures[url] = content
    return kakao


def named(user_id: int) -> str | None:
    return db.session.scalar(select(User.picture).where(User.id == user_id))


def test_picture_is_kept_and_served_under_its_name(session: Session) -> None:
    digest = named(enter(showing(URL, PNG)))

    assert digest
    kept = pictures.find(digest)
    assert kept
    assert (kept.content, kept.media_type) == (PNG, "image/png")


def test_known_picture_is_not_fetched_again(session: Session) -> None:
    kakao = showing(URL, PNG)

    enter(kakao)
    enter(kakao, days=1)

    assert kakao.fetched == [URL]


def test_new_picture_takes_the_place_of_the_old(session: Session) -> None:
    before = named(enter(showing(URL, PNG)))

    after = named(enter(showing(f"{URL}?2", JPEG)))

    assert after != before
    assert session.scalar(select(func.count()).select_from(Picture)) == 1


@pytest.mark.parametrize("content", [None, b"", b"<svg onload=alert(1)>", b"<html>"])
def test_what_is_no_picture_is_not_kept_and_tried_again(
    session: Session, content: bytes | None
) -> None:
    kakao = showing(URL, content)

    user_id = enter(kakao)
    enter(kakao)

    assert named(user_id) is None
    assert kakao.fetched == [URL, URL]


@pytest.mark.parametrize("now_shown", [(None, False), (URL, True)])
def test_picture_goes_when_the_person_shows_none_any_more(
    session: Session, now_shown: tuple[str | None, bool]
) -> None:
    enter(showing(URL, PNG))
    url, default = now_shown

    user_id = enter(showing(url, PNG, default=default))

    assert named(user_id) is None
    assert session.scalar(select(func.count()).select_from(Picture)) == 0


def test_unknown_name_has_no_picture(session: Session) -> None:
    assert pictures.find("0" * 64) is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"", None),
    ],
)
def test_kind_is_read_from_the_content(content: bytes, kind: str | None) -> None:
    assert pictures.media_type(content) == kind
