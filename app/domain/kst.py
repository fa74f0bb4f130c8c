"""Korean time: UTC+9 all year, the clock by which deadlines and days are counted."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")


def to_kst(moment: datetime) -> datetime:
    """The same moment on a Korean wall clock."""
    return moment.astimezone(KST)


def kst_day(moment: datetime) -> date:
    """The calendar day in Korea at this moment; a new one begins at 15:00 UTC."""
    return to_kst(moment).date()


def floor_minute(moment: datetime) -> datetime:
    """The moment cut down to its whole minute."""
    return moment.replace(second=0, microsecond=0)


def add_month(moment: datetime) -> datetime:
    """One calendar month later by the Korean calendar; 31 January gives February's last day."""
    local = to_kst(moment)
    year, month = (local.year, local.month + 1) if local.month < 12 else (local.year + 1, 1)
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day).astimezone(UTC)
