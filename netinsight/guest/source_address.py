"""Which of its addresses a guest sends from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from netinsight.addresses import block, contains, family
from netinsight.guest.packets import Doubts
from netinsight.guest.rows import SCOPES, HostAddress, Interface

LINK = SCOPES["link"]
_LABELS = tuple(
    (block(cidr), label)
    for cidr, label in (("::1/128", 0), ("::/96", 3), ("2001::/32", 6), ("2001:10::/28", 7), ("3ffe::/16", 12),
                        ("2002::/16", 2), ("fec0::/10", 11), ("fc00::/7", 5))
)  # fmt: skip
_MULTICAST, _LINK_LOCAL, _LOOPBACK, _SITE = (block(c) for c in ("ff00::/8", "fe80::/10", "::1/128", "fec0::/10"))


def source_v4(
    addresses: Sequence[HostAddress], interfaces: Iterable[str], interface: str, near: int | None, scope: int
) -> int | None:
    """The first primary address of the interface in the scope, one of the network of ``near`` (a gateway) before others;
    where it has none, one of another interface.
    """
    own = [one for one in addresses if one.interface == interface and not one.secondary and family(one.address) == 4
           and min(one.scope, LINK) <= scope]  # fmt: skip
    for one in own:
        if near is None or one.network.first <= near <= one.network.last:
            return one.address
    if own:
        return own[0].address
    order = {name: n for n, name in enumerate(interfaces)}
    others = [one for one in addresses if family(one.address) == 4 and not one.secondary and one.scope != LINK
              and one.scope <= scope]  # fmt: skip
    others.sort(key=lambda one: order.get(one.interface, len(order)))
    return others[0].address if others else None


def source_v6(
    addresses: Sequence[HostAddress], interfaces: dict[str, Interface], interface: str, destination: int, doubts: Doubts
) -> int | None:
    """By RFC 6724, section 5, as the kernel has it."""
    wanted = _scope(destination)
    only = contains([_MULTICAST], destination) or wanted <= 2
    able = [one for one in addresses if family(one.address) == 6 and (not only or one.interface == interface)
            and not ({"tentative", "dadfailed"} & one.flags and "optimistic" not in one.flags)]  # fmt: skip
    order = {name: n for n, name in enumerate(interfaces)}
    able.sort(key=lambda one: order.get(one.interface, len(order)))
    best = _best(able, lambda one: tuple(_score(one, interface, destination, wanted, False)))
    if best is not None and best != _best(able, lambda one: tuple(_score(one, interface, destination, wanted, True))):
        doubts.add("the source: whether temporary addresses go first (use_tempaddr) is not known")
    if best is not None:
        for words in best.strange:
            doubts.add(f"address of line {best.line}: `{words}` is not modelled")
    return best.address if best else None


def _best(able: Sequence[HostAddress], score: Callable[[HostAddress], tuple[int, ...]]) -> HostAddress | None:
    return max(able, key=score, default=None)


def _score(one: HostAddress, interface: str, destination: int, wanted: int, temporary: bool) -> Iterator[int]:
    scope = _scope(one.address)
    yield one.address == destination
    yield -scope if scope >= wanted else scope - 128
    yield not {"deprecated", "optimistic"} & one.flags
    yield "home" in one.flags
    yield one.interface == interface
    yield _label(one.address) == _label(destination)
    yield ("temporary" in one.flags) == temporary
    yield _orchid(one.address) == _orchid(destination)
    yield min(128 - (one.address ^ destination).bit_length(), one.network.length)


def _scope(address: int) -> int:
    if contains([_MULTICAST], address):
        return address >> 112 & 15
    if contains([_LINK_LOCAL, _LOOPBACK], address):
        return 2
    return 5 if contains([_SITE], address) else 14


def _label(address: int) -> int:
    return next((label for piece, label in _LABELS if contains([piece], address)), 1)


def _orchid(address: int) -> bool:
    return address >> 100 == 0x2001001
