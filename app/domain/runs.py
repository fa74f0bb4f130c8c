"""The words for what a bot is and does: its mode, its state, why it trades, what its log says."""

from enum import StrEnum


class BotMode(StrEnum):
    """PAPER spends nothing; LIVE needs three yeses."""

    PAPER = "paper"
    LIVE = "live"

    @property
    def needs_yeses(self) -> bool:
        """Whether real money is spent, for which three yeses are needed."""
        return self is BotMode.LIVE


class BotState(StrEnum):
    """HALTED is the kill switch: no entries until the person lifts it, also after a restart."""

    OFF = "off"
    RUNNING = "running"
    STOPPING = "stopping"
    HALTED = "halted"


class OrderReason(StrEnum):
    """Why a bot sends an order."""

    ENTRY = "entry"
    DAY_END = "day_end"
    SIGNAL = "signal"
    STOP_LOSS = "stop_loss"
    HALT = "halt"


class LogKind(StrEnum):
    """The kinds of lines in a run's log."""

    START = "start"
    NEW_DAY = "new_day"
    SIGNAL = "signal"
    ORDER = "order"
    FILL = "fill"
    SKIPPED = "skipped"
    REFUSED = "refused"
    PROBLEM = "problem"
    HALT = "halt"
    END = "end"


class BacktestState(StrEnum):
    """WAITING and RUNNING are work for the leader; a killed one is taken up again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
