"""Addresses of the list: what they mean, and that they stay short."""

import pytest

from app.web.market.asked import MAX_QUERY, Asked, asked_for


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Asked()),
        ({"tab": "up", "sort": "price"}, Asked(tab="up", sort="price")),
        ({"sort": "name"}, Asked(sort="name", order="asc")),
        ({"sort": "name", "order": "desc"}, Asked(sort="name", order="desc")),
        ({"tab": "nonsense", "sort": "1", "order": "up"}, Asked()),
        ({"q": "  btc  "}, Asked(q="btc")),
        ({"q": "x" * 100}, Asked(q="x" * MAX_QUERY)),
    ],
)
def test_address_is_read_and_nonsense_counts_as_not_chosen(
    given: dict[str, str], expected: Asked
) -> None:
    assert asked_for(given) == expected


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        (Asked(), "/coins"),
        (Asked(sort="name", order="asc"), "/coins?sort=name"),
        (Asked(sort="name", order="desc"), "/coins?order=desc&sort=name"),
        (Asked(order="asc"), "/coins?order=asc"),
        (Asked(tab="down", q="비트"), "/coins?tab=down&q=%EB%B9%84%ED%8A%B8"),
    ],
)
def test_address_leaves_out_what_goes_without_saying(asked: Asked, address: str) -> None:
    assert asked.address() == address
