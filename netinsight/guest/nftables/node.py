"""A value of the document and where it stands, so that a mistake can name its place."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from netinsight.errors import Problem, visible

Path = tuple[str | int, ...]


class Places(Protocol):
    """What knows where a value of the document stands."""

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """A problem at a value."""
        ...


class NodeError(Exception):
    """A value that cannot be what it stands for."""

    def __init__(self, at: Node, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.path, self.message, self.hint = at.path, message, hint


class NotModelledError(Exception):
    """What is written may well be right, and what it says of a packet is not worked out here."""


class Node(NamedTuple):
    """A value with its path."""

    value: Any
    path: Path = ()

    def get(self, key: str) -> Node | None:
        """What stands at a key of an object; None where there is none, or ``null``."""
        if not isinstance(self.value, dict) or self.value.get(key) is None:
            return None
        return Node(self.value[key], (*self.path, key))

    def need(self, key: str) -> Node:
        """What must stand at a key.

        Raises
        ------
        NodeError
            Where it does not.
        """
        found = self.get(key)
        if found is None:
            raise NodeError(self, f"no `{key}`")
        return found

    def items(self) -> list[Node]:
        """The values of a list.

        Raises
        ------
        NodeError
            Where it is none.
        """
        if not isinstance(self.value, list):
            raise NodeError(self, "expected a list")
        return [Node(one, (*self.path, at)) for at, one in enumerate(self.value)]

    def pair(self) -> tuple[Node, Node]:
        """The two values of a list of two.

        Raises
        ------
        NodeError
            Where there are not two.
        """
        found = self.items()
        if len(found) != 2:
            raise NodeError(self, f"expected two values, found {len(found)}")
        return found[0], found[1]

    def only(self) -> tuple[str, Node]:
        """The one key of an object and its value.

        Raises
        ------
        NodeError
            Where it is no object of one key.
        """
        if not isinstance(self.value, dict) or len(self.value) != 1:
            raise NodeError(self, "expected an object of one key")
        ((name, value),) = self.value.items()
        return name, Node(value, (*self.path, name))

    def text(self) -> str:
        """A text.

        Raises
        ------
        NodeError
            Where it is none.
        """
        if not isinstance(self.value, str) or not self.value:
            raise NodeError(self, "expected a text")
        return self.value

    def whole(self, most: int, least: int = 0) -> int:
        """A whole number.

        Raises
        ------
        NodeError
            Where it is none, or out of bounds.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value <= most:
            raise NodeError(self, f"expected a number from {least} to {most}, found `{visible(str(self.value), 30)}`")
        return self.value
