"""Matches on rate, count, payload and routing: assumptions that an answer states, with both outcomes examined."""

from __future__ import annotations

from netinsight.guest.iptables.state import Answer, Doubt, State, Test
from netinsight.guest.iptables.testing import Given, Use, assumed, constant, negated
from netinsight.guest.iptables.words import WordError, number


def limit(use: Use) -> list[Test]:
    """``-m limit`` matches until the rate is reached."""
    return [assumed(use.text, True, "the rate is not reached")]


def hashlimit(use: Use) -> list[Test]:
    """``--hashlimit-upto`` matches until the rate is reached, ``--hashlimit-above`` from then on."""
    inverted = any(option.inverted for option in use.options)
    return [assumed(use.text, use.has("--hashlimit-above") == inverted, "the rate is not reached")]


def connlimit(use: Use) -> list[Test]:
    """``--connlimit-upto`` matches while there are few connections, ``--connlimit-above`` where there are many."""
    inverted = any(option.inverted for option in use.options)
    return [assumed(use.text, use.has("--connlimit-above") == inverted, "there are few connections")]


def statistic(use: Use) -> list[Test]:
    """Of every so many packets one; taken not to be this one, unless it matches always or never."""
    chance = use.get("--probability")
    usual = False
    if chance is not None:
        try:
            value = float(chance.word.text)
        except ValueError:
            raise WordError("the probability is not a number from 0 to 1", chance.word.column) from None
        if value in (0.0, 1.0):
            return [constant((value == 1.0) != chance.inverted)]
        usual = (value > 0.5) != chance.inverted
    elif (every := use.get("--every")) is not None:
        if number(every.word, 0xFFFFFFFF, "number") == 1:
            return [constant(not every.inverted)]
        usual = every.inverted
    why = "the packet is one of the many" if usual == any(o.inverted for o in use.options) else "the packet is one of the many that match"  # noqa: E501  # fmt: skip
    return [assumed(use.text, usual, why)]


def string(use: Use) -> list[Test]:
    """Text in the payload, taken not to be there."""
    inverted = any(option.inverted for option in use.options)
    return [assumed(use.text, inverted, "the payload does not hold the text")]


def quota(use: Use) -> list[Test]:
    """Until so many bytes have passed."""
    inverted = any(option.inverted for option in use.options)
    return [assumed(use.text, not inverted, "the quota is not used up")]


def policy(use: Use) -> list[Test]:
    """IPsec: taken not to be in use."""
    pol = use.get("--pol")
    if pol is None:
        return [assumed(use.text, False, "the packet does not pass IPsec")]
    usual = (pol.word.text == "none") != pol.inverted
    return [assumed(use.text, usual, "the packet does not pass IPsec")]


def rpfilter(use: Use) -> list[Test]:
    """Whether the way back leads out where the packet came in: taken to."""
    return [assumed(use.text, not use.has("--invert"), "the way back to the source leads through the same interface")]


def nfacct(use: Use) -> list[Test]:
    """It counts, and always matches."""
    return []


def recent(use: Use) -> list[Test]:
    """Lists of addresses: ``--set`` enters and matches; ``--rcheck`` and ``--update`` match who stands there.

    Who is judged is taken not to stand in a list, unless a rule before entered it on the same way.
    """
    asked = [option for option in use.options if option.name in ("--set", "--rcheck", "--update", "--remove")]
    if len(asked) != 1:
        raise WordError("-m recent takes one of --set, --rcheck, --update, --remove", use.column)
    action, name = asked[0], use.get("--name")
    listed = recent_list(use, name)
    if action.name == "--set":
        return [constant(not action.inverted)]
    hits = use.get("--hitcount")
    wanted = number(hits.word, 0xFFFF, "hits") if hits else 1
    why = "the address is not in the list" + (" so often" if wanted > 1 else "")

    def test(state: State) -> Answer:
        return True if wanted <= 1 and listed in state.seen else Doubt(use.text, False, why)

    return [negated(test, action.inverted)]


def recent_list(use: Use, name: Given | None) -> str:
    """Which list: its name and which address it holds."""
    return f"{name.word.text if name else 'DEFAULT'} {'destination' if use.has('--rdest') else 'source'}"
