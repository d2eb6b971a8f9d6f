"""``netinsight schema``: what editors and scripts read."""

from __future__ import annotations

import argparse
import json

from netinsight.cli.output import write
from netinsight.errors import ExitStatus


def run(arguments: argparse.Namespace) -> int:
    """Print a JSON schema."""
    if arguments.of == "topology":
        from netinsight.model.topology import Topology

        schema = Topology.model_json_schema(mode="validation")
    else:
        from netinsight.diagnosis.report import Report

        schema = Report.model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    write(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", arguments.to)
    return ExitStatus.REACHABLE
