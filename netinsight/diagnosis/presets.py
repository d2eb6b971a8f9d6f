"""Ready-made sets of questions about one instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netinsight.diagnosis.catalogue import Reference
from netinsight.flow import TCP, UDP, PortRange, Question

HTTPS, HTTP, DNS = PortRange(443, 443), PortRange(80, 80), PortRange(53, 53)


def cloud_assistant(source: str, region: str | None, reference: Reference) -> list[Question]:
    """Can an instance reach what the operations agent needs: its server, its package store, metadata, DNS.

    The addresses are those of the region; where that is not known, the whole ranges (of which only the cloud's own
    services are asked).
    """
    agent = reference.cloud_assistant
    known = agent.regions.get(region or "")
    server, store = (known.server, known.package_store) if known else (agent.server_range, agent.package_store_range)
    asked = [(server, TCP, HTTPS), (store, TCP, HTTPS), (agent.metadata, TCP, HTTP), (agent.dns, UDP, DNS)]
    return [Question(source, destination, protocol, ports) for destination, protocol, ports in asked]


PRESETS: Mapping[str, Callable[[str, str | None, Reference], list[Question]]] = {"cloud-assistant": cloud_assistant}
"""By name: the source, its region and the reference → the questions."""
