"""``netinsight ports``, ``who-can-reach`` and ``exposure``: exact sets, each with a packet and the rules."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

from netinsight.api import Manner, Net, load
from netinsight.cli.diagnose import STATUS, remarks
from netinsight.cli.manner import assumptions_of, manner_of
from netinsight.cli.output import wants_colour, write
from netinsight.errors import ExitStatus
from netinsight.flow import Verdict
from netinsight.set_answers import ExposureAnswer, PortsAnswer, WhoCanReachAnswer

Told = tuple[ExitStatus, PortsAnswer | WhoCanReachAnswer | ExposureAnswer, dict[str, bool]]


def run_ports(arguments: argparse.Namespace) -> int:
    """What passes from one object to another; 1 where nothing does, 3 where that is not known."""
    return _run(arguments, _ports)


def run_who(arguments: argparse.Namespace) -> int:
    """Who reaches an object; 0 whoever does."""
    return _run(arguments, _who)


def run_exposure(arguments: argparse.Namespace) -> int:
    """What the Internet reaches; 0, unless --fail-if-exposed finds something."""
    return _run(arguments, _exposure)


def _run(arguments: argparse.Namespace, answer: Callable[[Net, argparse.Namespace, Manner], Told]) -> int:
    manner = manner_of(arguments)
    started = perf_counter()
    net = load(arguments.topology, assume=assumptions_of(arguments), rules=arguments.rules)
    read = perf_counter()
    status, answered, shown = answer(net, arguments, manner)
    remarks(net, arguments, read - started, perf_counter() - read)
    if arguments.to or not arguments.quiet:
        as_json = arguments.output == "json"
        write(answered.to_json() if as_json else answered.text(colour=wants_colour(arguments), **shown), arguments.to)
    return status


def _ports(net: Net, arguments: argparse.Namespace, manner: Manner) -> Told:
    answer = net.ports(arguments.src, arguments.dst, port=arguments.port, protocol=arguments.protocol,
                       family=arguments.family, manner=manner)  # fmt: skip
    return STATUS[answer.verdict], answer, {"everything": arguments.all}


def _who(net: Net, arguments: argparse.Namespace, manner: Manner) -> Told:
    answer = net.who_can_reach(arguments.dst, port=arguments.port, protocol=arguments.protocol,
                               family=arguments.family, manner=manner)  # fmt: skip
    return ExitStatus.REACHABLE, answer, {"everything": arguments.all, "summary": arguments.summary}


def _exposure(net: Net, arguments: argparse.Namespace, manner: Manner) -> Told:
    answer = net.exposure(port=arguments.port, protocol=arguments.protocol, allow=arguments.allow,
                          outward=not arguments.no_outward, manner=manner)  # fmt: skip
    status = ExitStatus.REACHABLE
    if arguments.fail_if_exposed:
        status = {Verdict.REACHABLE: ExitStatus.NOT_REACHABLE, Verdict.UNDETERMINED: ExitStatus.UNDETERMINED}.get(
            answer.beyond_allowed, ExitStatus.REACHABLE
        )
    return status, answer, {"everything": arguments.all, "summary": arguments.summary}
