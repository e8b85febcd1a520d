"""What an operator is told of a channel that does not get through: counts and times, nothing of anybody."""

from datetime import datetime

from services.gateway.delivery.progress import Progress


def trouble_of(key: str, progress: Progress, oldest: datetime | None, now: datetime) -> str | None:
    """Return a sentence; None where all is well."""
    refused = sum(1 for each in progress.waiting if each.problem)
    if not (progress.problem or refused or progress.lost):
        return None
    parts: list[str] = []
    if progress.problem:
        parts.append(f"its receiver was not reached {progress.attempts} times in a row")
    if refused:
        parts.append(f"{refused} refused by the receiver, {len(progress.waiting) - refused} behind them")
    if progress.lost:
        parts.append(f"{progress.lost} lost or more, which OUTBOUND let go of")
    since = f"; the oldest waits for {duration((now - oldest).total_seconds())}" if oldest else ""
    return f"{key}: {', '.join(parts)}{since}."


def duration(seconds: float) -> str:
    """Write seconds as a person says them: 90 s, 3 h, 12 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"
