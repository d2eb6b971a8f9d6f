"""``netinsight schema``: what editors and scripts read."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from netinsight.cli.output import write
from netinsight.errors import ExitStatus

if TYPE_CHECKING:
    from pydantic import BaseModel


def run(arguments: argparse.Namespace) -> int:
    """Print a JSON schema."""
    if arguments.of == "topology":
        from netinsight.model.topology import Topology

        schema = Topology.model_json_schema(mode="validation")
    else:
        schema = _report(arguments.of).model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    write(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", arguments.to)
    return ExitStatus.REACHABLE


def _report(kind: str) -> type[BaseModel]:
    from netinsight.diagnosis.reach_report import Exposure, Ports, WhoCanReach
    from netinsight.diagnosis.report import Report

    kinds: dict[str, type[BaseModel]] = {
        "report": Report, "ports": Ports, "who-can-reach": WhoCanReach, "exposure": Exposure,
    }  # fmt: skip
    return kinds[kind]
