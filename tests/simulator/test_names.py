"""Which coins are listed."""

from itertools import islice

from app.simulator.names import coins, invented_names, real_coins


def test_well_known_coins_come_first_under_their_names() -> None:
    first = coins(3, seed=1)

    assert [(coin.code, coin.korean, coin.english) for coin in first] == [
        ("BTC", "비트코인", "Bitcoin"),
        ("ETH", "이더리움", "Ethereum"),
        ("XRP", "엑스알피(리플)", "XRP"),
    ]


def test_at_least_sixty_coins_are_real() -> None:
    codes = {coin.code for coin in real_coins()}

    assert len(codes) >= 60
    assert codes >= {"A", "1INCH", "USDT", "BTT", "PEPE", "FCT2"}


def test_no_code_comes_twice() -> None:
    codes = [coin.code for coin in coins(2_000, seed=7)]

    assert len(set(codes)) == 2_000


def test_prices_span_all_magnitudes() -> None:
    prices = [coin.won for coin in coins(200, seed=1)]

    assert min(prices) < 0.0001
    assert max(prices) > 100_000_000


def test_invented_names_follow_the_seed() -> None:
    one, same, other = (list(islice(invented_names(set(), seed), 5)) for seed in (1, 1, 2))

    assert one == same != other
