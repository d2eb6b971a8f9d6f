"""NetInsight: why a connection in a cloud network passes or fails, offline, with the rule and the line that decided."""

__version__ = "0.1.0"
