"""Settle what is due: one candle per coin and minute; no vote keeps another from its result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.domain.market import Candle, contradicts
from app.domain.votes import candle_decides, is_of_last_minute, market_is_gone, may_void
from app.exchanges.base import ExchangeError, Market, RateLimited, Unavailable, UnknownMarket
from app.jobs.guard import Steps
from app.services import votes
from app.services.votes import DueGroup, Evidence

#: A run gives way to the next minute's prices; what is left is found again then.
MAX_SECONDS = 40.0
#: After this many calls in a row without an answer the exchange is left alone until next time.
MAX_FAILED_CALLS = 3
NO_CANDLE = "no_candle"
MARKET_GONE = "market_gone"


@dataclass(slots=True)
class Settlement:
    """One pass over the votes that are due; `progress` is told of each group that was handled."""

    market: Market
    steps: Steps
    progress: Callable[[int], None] = lambda _votes: None
    settled: int = 0
    voided: int = 0
    pushed_back: int = 0
    failed_calls: int = field(default=0, init=False)
    began: float = field(default=0.0, init=False)

    def run(self) -> None:
        """Settle, void or push back every vote that is due, as far as time and exchange allow."""
        self.began = self.steps.elapsed_s()
        for group in votes.due_groups(now=self.steps.now):
            if self._is_late() or self.failed_calls >= MAX_FAILED_CALLS or not self._handle(group):
                break
            self.progress(len(group.vote_ids))
        self.steps.report["settle"] = {
            "settled": self.settled,
            "voided": self.voided,
            "pushed_back": self.pushed_back,
        }

    def _is_late(self) -> bool:
        return self.steps.elapsed_s() - self.began > MAX_SECONDS

    def _handle(self, group: DueGroup) -> bool:
        """Ask for the group's candle and act on the answer; False when told to stay away."""
        try:
            candle = self.market.candle_before(group.market, group.tracked_at)
            problem = self._objection(group, candle)
        except Unavailable as error:
            self.failed_calls += 1
            self._without_candle(group, problem=str(error), answered=False)
            return not isinstance(error, RateLimited)
        except UnknownMarket as error:
            gone = market_is_gone(group.delisted_at, self.steps.now)
            self._without_candle(group, problem=str(error), answered=True, gone=gone)
        except ExchangeError as error:
            self._without_candle(group, problem=str(error), answered=True)
        else:
            self._with_candle(group, candle, problem)
        self.failed_calls = 0
        return True

    def _with_candle(self, group: DueGroup, candle: Candle | None, problem: str) -> None:
        if candle is None or problem:
            self._without_candle(group, problem=problem, answered=True)
            return
        evidence = Evidence(candle, self.market.source, self.steps.moment())
        for batch in group.batches:
            if not self._is_late():
                self._settle_batch(batch, evidence)

    def _objection(self, group: DueGroup, candle: Candle | None) -> str:
        """Why a candle decides nothing; empty when it does."""
        if candle is None:
            return "no candle"
        if not candle_decides(opened_at=candle.opened_at, tracked_at=group.tracked_at):
            return f"the last candle is of {candle.opened_at:%Y-%m-%d %H:%M} UTC"
        sample = votes.witnessed_price(coin_id=group.coin_id, moment=candle.opened_at)
        if sample is not None and contradicts(candle.close, sample):
            return f"the candle says {candle.close}, we saw {sample} around then"
        if not self._is_last(group, candle):
            return f"the candle of {candle.opened_at:%Y-%m-%d %H:%M} UTC may not be the last one"
        return ""

    def _is_last(self, group: DueGroup, candle: Candle) -> bool:
        """Whether no later candle can decide.

        An exchange that stands still shows an old candle as the last. Before a gap a candle
        therefore counts only when the coin is known to have rested since, or when the exchange
        shows that its candles have gone on.
        """
        times = {"opened_at": candle.opened_at, "tracked_at": group.tracked_at}
        if is_of_last_minute(**times) or votes.rested_since(coin_id=group.coin_id, **times):
            return True
        newest = self.market.candle_before(group.market, self.steps.now)
        return newest is not None and newest.opened_at >= group.tracked_at

    def _settle_batch(self, vote_ids: Sequence[int], evidence: Evidence) -> None:
        """In one transaction; where one of them fails, each in its own, so that only that waits."""
        name = f"votes {min(vote_ids)} to {max(vote_ids)}"
        with self.steps.guarded(name, lambda _error: self._settle_each(vote_ids, evidence)):
            self._settle(vote_ids, evidence)

    def _settle_each(self, vote_ids: Sequence[int], evidence: Evidence) -> None:
        for vote_id in vote_ids:
            with self.steps.guarded(f"vote {vote_id}", self._pusher(vote_id)):
                self._settle((vote_id,), evidence)

    def _settle(self, vote_ids: Sequence[int], evidence: Evidence) -> None:
        self.settled += votes.settle_votes(
            vote_ids=vote_ids, evidence=evidence, now=self.steps.moment()
        )

    def _without_candle(
        self, group: DueGroup, *, problem: str, answered: bool, gone: bool = False
    ) -> None:
        """Void what will never be decided, and let the rest wait."""
        now = self.steps.now
        over = may_void(group.tracked_at, now, tries=group.attempts, answered=answered)
        if gone or over:
            self._void(group, MARKET_GONE if gone else NO_CANDLE)
            return
        self.pushed_back += len(group.vote_ids)
        self.steps.report.setdefault("waiting", []).append(f"{group.market}: {problem}"[:120])
        votes.push_back(vote_ids=group.vote_ids, problem=problem, now=now, grow=answered)

    def _void(self, group: DueGroup, reason: str) -> None:
        for vote_id in group.vote_ids:
            with self.steps.guarded(f"vote {vote_id}", self._pusher(vote_id)):
                votes.void_vote(vote_id=vote_id, reason=reason, now=self.steps.moment())
                self.voided += 1

    def _pusher(self, vote_id: int) -> Callable[[Exception], None]:
        def push(error: Exception) -> None:
            self.pushed_back += 1
            problem = f"{type(error).__name__}: {error}"
            votes.push_back(vote_ids=(vote_id,), problem=problem, now=self.steps.now)

        return push
