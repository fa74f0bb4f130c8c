"""Korean time: UTC+9 all year, the clock by which deadlines and days are counted."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")


def to_kst(moment: datetime) -> datetime:
    """The same moment on a Korean wall clock."""
    return moment.astimezone(KST)


def log_stamp(moment: datetime) -> str:
    """`2026/11/20 13:52:07` in Korea, with which a line of a bot's log begins."""
    return f"{to_kst(moment):%Y/%m/%d %H:%M:%S}"


def kst_day(moment: datetime) -> date:
    """The calendar day in Korea at this moment; a new one begins at 15:00 UTC."""
    return to_kst(moment).date()


def next_kst_day(moment: datetime) -> datetime:
    """The next midnight in Korea, as aware UTC; at midnight itself that is a day ahead."""
    midnight = to_kst(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1)).astimezone(UTC)


def month_start(moment: datetime) -> datetime:
    """The midnight in Korea with which the month of this moment began, as aware UTC."""
    first = to_kst(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.astimezone(UTC)


def floor_minute(moment: datetime) -> datetime:
    """The moment cut down to its whole minute."""
    return moment.replace(second=0, microsecond=0)


def add_month(moment: datetime) -> datetime:
    """One calendar month later by the Korean calendar; 31 January gives February's last day."""
    local = to_kst(moment)
    year, month = (local.year, local.month + 1) if local.month < 12 else (local.year + 1, 1)
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(UTC)
