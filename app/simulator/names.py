"""Which coins are listed: real ones by name, then invented ones with plausible names and prices."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple


class Coin(NamedTuple):
    """A coin's code, its names and about what it costs in won."""

    code: str
    korean: str
    english: str
    won: float


# code | Korean name | English name | about how many won
_REAL = """
BTC|비트코인|Bitcoin|146918000
ETH|이더리움|Ethereum|5284000
XRP|엑스알피(리플)|XRP|3412
SOL|솔라나|Solana|246700
DOGE|도지코인|Dogecoin|286
ADA|에이다|Ada|941
A|볼타|Vaulta|561
1INCH|1인치네트워크|1inch Network|287
SHIB|시바이누|Shiba Inu|0.01422
PEPE|페페|Pepe|0.01093
BTT|비트토렌트|BitTorrent|0.000819
USDT|테더|Tether|1452
USDC|유에스디코인|USD Coin|1453
AVAX|아발란체|Avalanche|31240
TRX|트론|TRON|468
LINK|체인링크|Chainlink|25120
DOT|폴카닷|Polkadot|4312
BCH|비트코인캐시|Bitcoin Cash|718500
XLM|스텔라루멘|Lumen|467
SUI|수이|Sui|3610
HBAR|헤데라|Hedera|278
NEAR|니어프로토콜|NEAR Protocol|3395
APT|앱토스|Aptos|4905
UNI|유니스왑|Uniswap|9310
AAVE|에이브|Aave|331800
ETC|이더리움클래식|Ethereum Classic|23480
ATOM|코스모스|Cosmos|4655
ARB|아비트럼|Arbitrum|471
ALGO|알고랜드|Algorand|266
VET|비체인|VeChain|26.4
FIL|파일코인|Filecoin|2418
SAND|샌드박스|The Sandbox|317
MANA|디센트럴랜드|Decentraland|372
AXS|엑시인피니티|Axie Infinity|2455
THETA|쎄타토큰|Theta Token|824
XTZ|테조스|Tezos|887
NEO|네오|NEO|7325
QTUM|퀀텀|Qtum|2911
IOTA|아이오타|IOTA|221
CHZ|칠리즈|Chiliz|50.7
BSV|비트코인에스브이|Bitcoin SV|31950
STX|스택스|Stacks|708
INJ|인젝티브|Injective|13290
SEI|세이|Sei|322
TIA|셀레스티아|Celestia|1687
ONDO|온도파이낸스|Ondo Finance|1049
POL|폴리곤에코시스템토큰|Polygon Ecosystem Token|286
RENDER|렌더토큰|Render Token|3886
GRT|더그래프|The Graph|97.5
IMX|이뮤터블엑스|Immutable X|812
MASK|마스크네트워크|Mask Network|1462
ENS|이더리움네임서비스|Ethereum Name Service|24310
CRO|크로노스|Cronos|218
KAVA|카바|Kava|338
ZRX|제로엑스|0x Protocol|289
BAT|베이직어텐션토큰|Basic Attention Token|247
FLOW|플로우|Flow|421
GAS|가스|GAS|3675
ICX|아이콘|Icon|139
ZIL|질리카|Zilliqa|11.9
ONT|온톨로지|Ontology|151
WAVES|웨이브|Waves|1288
SC|시아코인|Siacoin|3.57
XEC|이캐시|eCash|0.0218
STEEM|스팀|Steem|143
HIVE|하이브|Hive|229
ANKR|앵커|Ankr|15.6
STORJ|스토리지|Storj|248
GLM|골렘|Golem|281
KNC|카이버네트워크|Kyber Network|447
LSK|리스크|Lisk|372
ARDR|아더|Ardor|91.2
POWR|파워렛저|Power ledger|176
ELF|엘프|aelf|231
IQ|아이큐|IQ.wiki|3.16
MBL|무비블록|MovieBloc|2.71
MED|메디블록|MediBloc|6.04
MVL|엠블|MVL|3.92
JST|저스트|JUST|57.8
CKB|너보스|Nervos Network|5.83
ORBS|오브스|Orbs|24.6
HUNT|헌트|HUNT|274
BORA|보라|BORA|88.3
AERGO|아르고|Aergo|129
META|메타디움|Metadium|22.7
W|웜홀|Wormhole|109
T|쓰레스홀드|Threshold|20.8
G|그래비티|Gravity|13.4
ID|스페이스아이디|SPACE ID|204
FCT2|피르마체인|FirmaChain|44.6
GAME2|게임빌드|GameBuild|2.03
BLUR|블러|Blur|101
PYTH|피스네트워크|Pyth Network|196
JUP|주피터|Jupiter|603
BONK|봉크|Bonk|0.0252
MOCA|모카네트워크|Moca Network|84.9
PENGU|펏지펭귄|Pudgy Penguins|38.2
TRUMP|오피셜트럼프|Official Trump|10870
KAITO|카이토|KAITO|1571
VIRTUAL|버추얼프로토콜|Virtuals Protocol|1893
LAYER|솔레이어|Solayer|498
BERA|베라체인|Berachain|2944
ENA|에테나|Ethena|761
AXL|엑셀라|Axelar|428
EGLD|멀티버스엑스|MultiversX|18140
COMP|컴파운드|Compound|57950
CVC|시빅|Civic|118
MLK|밀크|MiL.k|254
TT|썬더코어|ThunderCore|3.71
XEM|넴|NEM|1.94
"""

_SYLLABLES = (
    ("가", "Ga"), ("나", "Na"), ("노", "No"), ("다", "Da"), ("데", "De"), ("디", "Di"),
    ("라", "La"), ("레", "Le"), ("로", "Lo"), ("루", "Lu"), ("리", "Li"), ("마", "Ma"),
    ("모", "Mo"), ("미", "Mi"), ("바", "Ba"), ("벨", "Bel"), ("보", "Bo"), ("비", "Vi"),
    ("사", "Sa"), ("세", "Se"), ("소", "So"), ("아", "A"), ("오", "O"), ("에", "E"),
    ("이", "I"), ("제", "Ze"), ("카", "Ka"), ("코", "Co"), ("타", "Ta"), ("토", "To"),
    ("파", "Pa"), ("페", "Pe"), ("피", "Pi"), ("하", "Ha"), ("헬", "Hel"), ("호", "Ho"),
)  # fmt: skip
_KINDS = (
    ("코인", "Coin"), ("네트워크", "Network"), ("프로토콜", "Protocol"), ("토큰", "Token"),
    ("체인", "Chain"), ("파이낸스", "Finance"), ("랩스", "Labs"), ("", ""),
)  # fmt: skip
_CHEAPEST, _DEAREST = 0.000_028, 420_000.0


def real_coins() -> list[Coin]:
    """Coins that exist, the best known first."""
    rows = (line.split("|") for line in _REAL.strip().splitlines())
    return [Coin(code, korean, english, float(won)) for code, korean, english, won in rows]


def coins(count: int, seed: int) -> list[Coin]:
    """`count` different coins: the real ones first, then invented ones from the seed."""
    listed = real_coins()[:count]
    missing = count - len(listed)
    names = invented_names({coin.code for coin in real_coins()}, seed)
    for place in range(missing):
        code, korean, english = next(names)
        # spread evenly over the magnitudes, the cheapest first
        won = _CHEAPEST * (_DEAREST / _CHEAPEST) ** (place / max(1, missing - 1))
        listed.append(Coin(code, korean, english, won))
    return listed


def invented_names(taken: set[str], seed: int) -> Iterator[tuple[str, str, str]]:
    """Code, Korean and English name of coins that don't exist; no code comes twice."""
    dice, used = Random(seed), set(taken)
    while True:
        parts = dice.choices(_SYLLABLES, k=dice.choice((2, 3, 3)))
        korean, english = "".join(p[0] for p in parts), "".join(p[1].lower() for p in parts)
        kind = dice.choice(_KINDS)
        code = english.upper()[: dice.choice((3, 4, 5))]
        if code in used:
            code += str(dice.randrange(2, 100))
        if code not in used:
            used.add(code)
            yield code, korean + kind[0], f"{english.capitalize()} {kind[1]}".strip()
