"""What was gathered in a guest: the output of each command, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

from netinsight.guest.lines import Written

NOT_THERE = "it is not there"
"""How the reason begins where the guest has no such command."""


@dataclass(frozen=True, slots=True)
class Section:
    """One command's output."""

    name: str
    written: Written
    command: str = ""
    lacking: str = ""
    """Why the output is not to be used: the command failed, or a part is missing; empty: it is whole."""
    said: str = ""
    """What it wrote to its standard error although it succeeded."""

    @property
    def title(self) -> str:
        """Its command, for people; where that is a function of the script, or was not told, its name."""
        program = self.command.partition(" ")[0].lower()
        return self.command if program and self.name.lower().startswith(program) else self.name


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was gathered in one guest."""

    source: str
    """Where it was read, for people."""
    instance: str = ""
    """The id of the instance; empty where nothing tells it."""
    sections: dict[str, Section] = field(default_factory=dict)
    lacking: str = ""
    """Why sections may be missing at all: the whole is cut."""

    def get(self, name: str) -> Written | None:
        """The output of a command; None where it is not there whole."""
        found = self.sections.get(name)
        return found.written if found and not found.lacking else None

    def first(self, *names: str) -> Section | None:
        """The first of several that is there whole."""
        return next((one for name in names if (one := self.sections.get(name)) and not one.lacking), None)

    def why_not(self, *names: str) -> str:
        """Why none of several is there."""
        told = [f"{one.title}: {one.lacking}" for name in names if (one := self.sections.get(name))]
        return "; ".join(told) or self.lacking or "not gathered"
