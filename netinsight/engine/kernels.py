"""Every function that is compiled when there is a batch, and runs as it stands for one question.

Nothing is imported but for the types, no object is made: the arguments are flat buffers of 64-bit integers
(``array('q')`` for one question, numpy arrays for many) and plain integers, so that one text has one meaning in both
modes.

An address of the line (see ``addresses``) is two signed integers, its halves less 2**63: their order is the order of
the addresses, and no unsigned number, which would turn into a float beside a signed one, ever appears.

A set of addresses is the sorted, disjoint ranges ``starts[s]`` to ``starts[s + 1]`` of ``bounds``, four integers a
range: first high, first low, last high, last low.

A row is ``COLUMNS`` integers: source set, destination set, protocol first and last, source port first and last,
port first and last (all inclusive), action (1 accepts), certain (0: the row may or may not be there).

The meaning of a list of rows is defined here and nowhere else: the first row that matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

COLUMNS = 10
SOURCE, DESTINATION, PROTOCOL, SOURCE_PORT, PORT, ACTION, CERTAIN = 0, 1, 2, 4, 6, 8, 9
FLOW_COLUMNS = 7


def last_begun(bounds: Sequence[int], left: int, right: int, high: int, low: int) -> int:
    """The last of the ranges ``left`` to ``right - 1`` that begins at or below the address; ``left - 1`` if none does."""
    while left < right:
        middle = (left + right) // 2
        at = 4 * middle
        if bounds[at] < high or (bounds[at] == high and bounds[at + 1] <= low):
            left = middle + 1
        else:
            right = middle
    return left - 1


def in_set(bounds: Sequence[int], starts: Sequence[int], which: int, high: int, low: int) -> bool:
    """Whether the address (high, low) is in set ``which``: the last range that begins at or below it must reach it."""
    last = last_begun(bounds, starts[which], starts[which + 1], high, low)
    if last < starts[which]:
        return False
    at = 4 * last
    return high < bounds[at + 2] or (high == bounds[at + 2] and low <= bounds[at + 3])


def ends_match(
    rows: Sequence[int],
    row: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    source_high: int,
    source_low: int,
    high: int,
    low: int,
    protocol: int,
) -> bool:
    """Whether a row matches both addresses and the protocol, whatever the ports."""
    at = row * COLUMNS
    return (
        rows[at + PROTOCOL] <= protocol <= rows[at + PROTOCOL + 1]
        and in_set(bounds, starts, rows[at + SOURCE], source_high, source_low)
        and in_set(bounds, starts, rows[at + DESTINATION], high, low)
    )


def first_match(
    rows: Sequence[int],
    start: int,
    count: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    source_high: int,
    source_low: int,
    high: int,
    low: int,
    protocol: int,
    source_port: int,
    port: int,
) -> int:
    """The first row from ``start`` that matches a flow, of a table of ``count`` rows; -1 where none does."""
    for row in range(start, count):
        at = row * COLUMNS
        if (
            rows[at + PORT] <= port <= rows[at + PORT + 1]
            and rows[at + SOURCE_PORT] <= source_port <= rows[at + SOURCE_PORT + 1]
            and ends_match(rows, row, bounds, starts, source_high, source_low, high, low, protocol)
        ):
            return row
    return -1


def flow_match(
    rows: Sequence[int], start: int, count: int, bounds: Sequence[int], starts: Sequence[int], flows: Sequence[int], at: int
) -> int:  # fmt: skip
    """The same for the flow at ``at``: source high and low, high and low, protocol, source port, port."""
    return first_match(
        rows, start, count, bounds, starts, flows[at], flows[at + 1], flows[at + 2], flows[at + 3], flows[at + 4],
        flows[at + 5], flows[at + 6],
    )  # fmt: skip


def next_matches(
    rows: Sequence[int],
    count: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    flows: Sequence[int],
    which: Sequence[int],
    number: int,
    found: MutableSequence[int],
) -> None:
    """For each of the flows ``which`` the first match after row ``found[i]`` takes its place, -1 where there is none."""
    for k in range(number):
        i = which[k]
        found[i] = flow_match(rows, found[i] + 1, count, bounds, starts, flows, i * FLOW_COLUMNS)


MIXED = -2
"""A box that no one certain row decides whole."""


def first_for_box(
    rows: Sequence[int],
    start: int,
    count: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    source_high: int,
    source_low: int,
    high: int,
    low: int,
    protocol: int,
    source_port: int,
    last_source_port: int,
    port: int,
    last_port: int,
) -> int:
    """The first row from ``start`` that matches any of a box of ports, if it is certain and matches all of it.

    -1 where no row matches any of it, ``MIXED`` where the first that does is not certain or does not match all.
    """
    for row in range(start, start + count):
        at = row * COLUMNS
        if (
            rows[at + PORT] <= last_port
            and port <= rows[at + PORT + 1]
            and rows[at + SOURCE_PORT] <= last_source_port
            and source_port <= rows[at + SOURCE_PORT + 1]
            and ends_match(rows, row, bounds, starts, source_high, source_low, high, low, protocol)
        ):
            whole = (
                rows[at + PORT] <= port
                and last_port <= rows[at + PORT + 1]
                and rows[at + SOURCE_PORT] <= source_port
                and last_source_port <= rows[at + SOURCE_PORT + 1]
            )
            return row if whole and rows[at + CERTAIN] == 1 else MIXED
    return -1


PASSES, STOPPED, OPEN = 0, 1, 2
"""What a list says of a flow between two ENIs, and what all lists say together; ``OPEN`` is left to the walk."""

ENI_COLUMNS = 7
ENI_HIGH, ENI_LOW, ENI_EGRESS, ENI_INGRESS, ENI_VSWITCH, ENI_STATE, ENI_MET = 0, 1, 2, 3, 4, 5, 6
VSWITCH_COLUMNS = 3
ACL_EGRESS, ACL_INGRESS, ROUTES = 0, 1, 2
INSIDE_COLUMNS = 6
NO_LIST, UNKNOWN_LIST = -1, -2
UDP, UDP_SHIFT = 17, 65536
"""What an end stops of UDP is told that far past what it stops of TCP."""

(
    AT_SOURCE_MET, AT_DESTINATION_MET, AT_SOURCE_ENI, AT_GROUP_OUT, AT_ACL_OUT, AT_ROUTE, AT_ACL_IN, AT_GROUP_IN,
    AT_DESTINATION_ENI, AT_REPLY_ACL_OUT, AT_REPLY_ROUTE, AT_REPLY_ACL_IN, AT_ENDS,
) = range(13)  # fmt: skip
"""The stages of a walk between two ENIs, in the order in which they are met (``network.trace``)."""


def listed(
    rows: Sequence[int],
    lists: Sequence[int],
    which: int,
    bounds: Sequence[int],
    starts: Sequence[int],
    source_high: int,
    source_low: int,
    high: int,
    low: int,
    protocol: int,
    source_port: int,
    last_source_port: int,
    port: int,
    last_port: int,
) -> int:
    """The deciding row of list ``which``; of a list that is not there -1, of one that does not say ``MIXED``."""
    if which == NO_LIST:
        return -1
    if which == UNKNOWN_LIST:
        return MIXED
    found = first_for_box(
        rows, lists[2 * which], lists[2 * which + 1], bounds, starts, source_high, source_low, high, low, protocol,
        source_port, last_source_port, port, last_port,
    )  # fmt: skip
    return found if found != -1 else MIXED


def route_inside(
    rows: Sequence[int],
    lists: Sequence[int],
    which: int,
    leads_to: Sequence[int],
    bounds: Sequence[int],
    starts: Sequence[int],
    high: int,
    low: int,
    own: int,
    target: int,
) -> int:
    """Whether vSwitch ``own`` leads a packet to an ENI in vSwitch ``target``: PASSES, STOPPED, or OPEN.

    ``leads_to[row]`` is the vSwitch of a local route, -1 of any other.
    """
    if which == UNKNOWN_LIST:
        return OPEN
    first = lists[2 * which]
    row = first_for_box(rows, first, lists[2 * which + 1], bounds, starts, high, low, high, low, 0, 0, 65535, 0, 65535)
    if own == target:
        return PASSES if row == -1 or (row >= 0 and leads_to[row] >= 0) else OPEN
    if row == -1:
        return STOPPED
    if row == MIXED or leads_to[row] < 0:
        return OPEN
    return PASSES if leads_to[row] == target else STOPPED


def list_at(step: int, enis: Sequence[int], vswitches: Sequence[int], source: int, target: int) -> int:
    """The list that a flow meets at a stage; ``source`` and ``target`` are where the rows of its ENIs begin.

    Inside a vSwitch its ACLs do not apply.
    """
    own = enis[source + ENI_VSWITCH]
    other = enis[target + ENI_VSWITCH]
    if step == AT_GROUP_OUT:
        return enis[source + ENI_EGRESS]
    if step == AT_GROUP_IN:
        return enis[target + ENI_INGRESS]
    if own == other:
        return NO_LIST
    if step == AT_ACL_OUT:
        return vswitches[own * VSWITCH_COLUMNS + ACL_EGRESS]
    if step == AT_ACL_IN:
        return vswitches[other * VSWITCH_COLUMNS + ACL_INGRESS]
    if step == AT_REPLY_ACL_OUT:
        return vswitches[other * VSWITCH_COLUMNS + ACL_EGRESS]
    return vswitches[own * VSWITCH_COLUMNS + ACL_INGRESS]


def state_at(step: int, enis: Sequence[int], source: int, target: int) -> int:
    """What the state of an ENI or instance says at a stage: PASSES, STOPPED or OPEN; PASSES at all other stages."""
    if step == AT_SOURCE_MET:
        return enis[source + ENI_MET]
    if step == AT_DESTINATION_MET:
        return enis[target + ENI_MET]
    if step == AT_SOURCE_ENI:
        return enis[source + ENI_STATE]
    if step == AT_DESTINATION_ENI:
        return enis[target + ENI_STATE]
    return PASSES


def end_stop(
    stops: Sequence[int], stop_starts: Sequence[int], source: int, target: int, protocol: int, port: int
) -> int:
    """What the state of the ends stops first, as twice its order plus the role (0 source, 1 destination); else -1."""
    best = -1
    asked = port + (UDP_SHIFT if protocol == UDP else 0)
    for role in range(2):
        end = 2 * (source if role == 0 else target) + role
        for k in range(stop_starts[end], stop_starts[end + 1]):
            if stops[3 * k] <= asked <= stops[3 * k + 1]:
                if best == -1 or 2 * stops[3 * k + 2] + role < best:
                    best = 2 * stops[3 * k + 2] + role
                break
    return best


def inside_flows(
    rows: Sequence[int],
    lists: Sequence[int],
    leads_to: Sequence[int],
    bounds: Sequence[int],
    starts: Sequence[int],
    enis: Sequence[int],
    vswitches: Sequence[int],
    stops: Sequence[int],
    stop_starts: Sequence[int],
    flows: Sequence[int],
    number: int,
    last_stage: int,
    found: MutableSequence[int],
) -> None:
    """Flows between ENIs, stage by stage up to the first that stops: outcome, stage, row (or the end's item) of each.

    Parameters
    ----------
    flows
        ``INSIDE_COLUMNS`` integers each: source ENI, destination ENI, protocol, source port first and last, port.
    stops, stop_starts
        What the state of an end stops: (first port, last port, order of the item), ascending by order; of the ENI e as
        source (0) or destination (1) those from ``stop_starts[2 * e + role]``.
    last_stage
        ``AT_DESTINATION_ENI`` where the reply is left out, else ``AT_REPLY_ACL_IN``.
    """
    for i in range(number):
        at = i * INSIDE_COLUMNS
        source = flows[at] * ENI_COLUMNS
        target = flows[at + 1] * ENI_COLUMNS
        outcome = PASSES
        stage = 0
        row = -1
        for step in range(last_stage + 1):
            stage = step
            row = -1
            back = step >= AT_REPLY_ACL_OUT  # the reply is the question with its ends and ports the other way round
            sender = target if back else source
            receiver = source if back else target
            if step == AT_ROUTE or step == AT_REPLY_ROUTE:
                own = enis[sender + ENI_VSWITCH]
                outcome = route_inside(
                    rows, lists, vswitches[own * VSWITCH_COLUMNS + ROUTES], leads_to, bounds, starts,
                    enis[receiver + ENI_HIGH], enis[receiver + ENI_LOW], own, enis[receiver + ENI_VSWITCH],
                )  # fmt: skip
            elif step <= AT_SOURCE_ENI or step == AT_DESTINATION_ENI:
                outcome = state_at(step, enis, source, target)
            else:
                row = listed(
                    rows, lists, list_at(step, enis, vswitches, source, target), bounds, starts,
                    enis[sender + ENI_HIGH], enis[sender + ENI_LOW], enis[receiver + ENI_HIGH], enis[receiver + ENI_LOW],
                    flows[at + 2], flows[at + 5] if back else flows[at + 3], flows[at + 5] if back else flows[at + 4],
                    flows[at + 3] if back else flows[at + 5], flows[at + 4] if back else flows[at + 5],
                )  # fmt: skip
                outcome = OPEN if row == MIXED else PASSES
                if row >= 0 and rows[row * COLUMNS + ACTION] == 0:
                    outcome = STOPPED
            if outcome != PASSES:
                break
        if outcome == PASSES:
            row = end_stop(stops, stop_starts, flows[at], flows[at + 1], flows[at + 2], flows[at + 5])
            outcome = PASSES if row == -1 else STOPPED
            stage = AT_ENDS
        found[3 * i] = outcome
        found[3 * i + 1] = stage
        found[3 * i + 2] = row


def group_flows(
    rows: Sequence[int],
    lists: Sequence[int],
    bounds: Sequence[int],
    starts: Sequence[int],
    enis: Sequence[int],
    flows: Sequence[int],
    number: int,
    step: int,
    found: MutableSequence[int],
) -> None:
    """What the groups of one end say of flows between ENIs: PASSES, STOPPED, or OPEN; ``flows`` as ``inside_flows``.

    Parameters
    ----------
    step
        ``AT_GROUP_OUT``: those of the source, which sends; ``AT_GROUP_IN``: those of the destination, which receives.
    """
    for i in range(number):
        at = i * INSIDE_COLUMNS
        source = flows[at] * ENI_COLUMNS
        target = flows[at + 1] * ENI_COLUMNS
        which = enis[source + ENI_EGRESS] if step == AT_GROUP_OUT else enis[target + ENI_INGRESS]
        row = listed(
            rows, lists, which, bounds, starts, enis[source + ENI_HIGH], enis[source + ENI_LOW], enis[target + ENI_HIGH],
            enis[target + ENI_LOW], flows[at + 2], flows[at + 3], flows[at + 4], flows[at + 5], flows[at + 5],
        )  # fmt: skip
        found[i] = OPEN if row == MIXED else PASSES
        if row >= 0 and rows[row * COLUMNS + ACTION] == 0:
            found[i] = STOPPED


IN_ORDER = (
    last_begun, in_set, ends_match, first_match, flow_match, next_matches, first_for_box, listed,
    route_inside, list_at, state_at, end_stop, inside_flows, group_flows,
)  # fmt: skip
"""Callees before callers: the order in which they are compiled."""
