"""What the cloud's documentation leaves open: each point by name, with the values it may take; the first is the default."""

from __future__ import annotations

from collections.abc import Mapping

ASSUMPTIONS: Mapping[str, tuple[str, ...]] = {
    "intra_group_egress": ("accept_wins", "custom_wins"),
    "specific_route_beats_eip": ("true", "false"),
    "default_route_to_instance_beats_eip": ("false", "true"),
    "steered_own_vswitch": ("direct", "routed"),
    "lock_cuts_traffic": ("false", "true"),
    "nlb_client_ip_meets_groups": ("false", "true"),
    "blackhole_stops_snat_replies": ("true", "false"),
    "icmp_gre_stateful": ("true", "false"),
}


def defaults() -> dict[str, str]:
    """Every assumption at its default."""
    return {name: values[0] for name, values in ASSUMPTIONS.items()}


def other(name: str, value: str) -> str:
    """The value that ``name`` would take were it not ``value`` (each has two)."""
    return next(choice for choice in ASSUMPTIONS[name] if choice != value)
