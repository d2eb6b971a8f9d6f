"""A cloud as data: the defaults, implicit rows, order and limits that packing and checking read.

Sources for Alibaba Cloud: the pages "Basic and advanced security groups", "Security group rules", "Network ACLs",
"VPC route table", and the limits named there.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What the cloud refuses to exceed; a topology that does is warned of."""

    groups_per_eni: int
    rules_per_group: int
    rules_per_eni: int
    group_references: int
    acl_entries: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """One cloud's meaning of groups, ACLs and routes.

    Attributes
    ----------
    group_default
        (group type, direction) → policy when no rule matches.
    intra_group_types
        Group types whose members may reach each other by ``inner_access_policy``.
    reference_types
        Group types whose rules may reference a group, and be referenced.
    always_allowed_egress
        CIDRs that no group can shut out.
    acl_service
        CIDRs that an ACL accepts before its own entries, in both directions.
    acl_inside_vswitch
        Whether an ACL filters between two ENIs of one vSwitch.
    service_block
        The block of the cloud's own services, with a system route in every table.
    metadata
        The metadata server's address.
    blocked_public_egress
        (IP protocol, port) that the platform drops towards public addresses, unless unlocked.
    """

    name: str
    group_default: dict[tuple[str, str], str]
    intra_group_types: frozenset[str]
    reference_types: frozenset[str]
    always_allowed_egress: tuple[str, ...]
    acl_service: tuple[str, ...]
    acl_inside_vswitch: bool
    service_block: str
    metadata: str
    blocked_public_egress: tuple[tuple[int, int], ...]
    limits: Limits
    statuses_that_carry: frozenset[str] = field(default=frozenset({"InUse"}))


ALIYUN = Dialect(
    name="aliyun",
    group_default={
        ("normal", "ingress"): "drop",
        ("normal", "egress"): "accept",
        ("enterprise", "ingress"): "drop",
        ("enterprise", "egress"): "drop",
    },
    intra_group_types=frozenset({"normal"}),
    reference_types=frozenset({"normal"}),
    always_allowed_egress=("100.100.100.200/32",),
    acl_service=("100.100.2.136/32", "100.100.2.138/32", "100.100.100.200/32"),
    acl_inside_vswitch=False,
    service_block="100.64.0.0/10",
    metadata="100.100.100.200",
    blocked_public_egress=((6, 25),),
    limits=Limits(groups_per_eni=10, rules_per_group=200, rules_per_eni=1000, group_references=20, acl_entries=20),
)

DIALECTS = {"aliyun": ALIYUN}
