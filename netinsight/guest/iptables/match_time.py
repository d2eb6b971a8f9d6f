"""``-m time``: when a packet comes, in UTC as the kernel counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from netinsight.errors import visible
from netinsight.guest.iptables.state import Answer, State, Test
from netinsight.guest.iptables.testing import Given, Use, missing, not_modelled
from netinsight.guest.iptables.words import WordError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def time_match(use: Use) -> list[Test]:
    """From date to date, from hour to hour (through midnight where it ends before it begins), on some days."""
    if use.has("--kerneltz") or use.has("--localtz"):
        return [not_modelled(use.text, "counts in the time zone of the kernel, which is not known")]
    start, stop = _clock(use.get("--timestart"), 0), _clock(use.get("--timestop"), 86399)
    since, until = _date(use.get("--datestart")), _date(use.get("--datestop"))
    weekdays = _chosen(use.get("--weekdays"), 7)
    monthdays = _chosen(use.get("--monthdays"), 31)
    contiguous = use.has("--contiguous")

    def test(state: State) -> Answer:
        if state.packet.time is None:
            return missing(state, use.text, "the time is not given", use.text)
        now = moment(state.packet.time)
        if (since and now < since) or (until and now > until):
            return False
        second = now.hour * 3600 + now.minute * 60 + now.second
        if start <= stop:
            inside = start <= second <= stop
        else:
            inside = not stop < second < start
            if contiguous and second <= stop:
                now -= timedelta(days=1)  # the days are those on which it began
        return inside and now.isoweekday() in weekdays and now.day in monthdays

    return [test]


def moment(text: str) -> datetime:
    """An RFC 3339 time; without a zone it is UTC.

    Raises
    ------
    ValueError
        For anything else.
    """
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _clock(option: Given | None, otherwise: int) -> int:
    if option is None:
        return otherwise
    found = re.fullmatch(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?", option.word.text)
    hour, minute, second = (int(part or 0) for part in found.groups()) if found else (99, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise WordError(f"`{visible(option.word.text)}` is not a time such as 08:30", option.word.column)
    return hour * 3600 + minute * 60 + second


def _date(option: Given | None) -> datetime | None:
    if option is None:
        return None
    text = option.word.text
    for form in ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise WordError(f"`{visible(text)}` is not a date such as 2026-01-31T08:30:00", option.word.column)


def _chosen(option: Given | None, most: int) -> frozenset[int]:
    everything = frozenset(range(1, most + 1))
    if option is None:
        return everything
    chosen = set()
    for part in option.word.text.split(","):
        if most == 7 and part[:3].lower() in _DAYS:
            chosen.add(_DAYS.index(part[:3].lower()) + 1)
        elif part.isdigit() and 1 <= int(part) <= most:
            chosen.add(int(part))
        else:
            raise WordError(f"day `{visible(part)}` is not known", option.word.column)
    return everything - chosen if option.inverted else frozenset(chosen)
