"""Text on a terminal: width as it is seen, wrapping, colour."""

from __future__ import annotations

from dataclasses import dataclass

from netinsight.errors import width_of

WIDTH = 100

_OPENING, _CLOSING = "（《“", "）》”，。；：、 "

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def pad(text: str, width: int) -> str:
    """``text`` with spaces up to ``width`` columns."""
    return text + " " * max(0, width - width_of(text))


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns, broken at spaces, between wide characters, or where it must be."""
    lines, line = [], ""
    for piece in _pieces(text):
        if width_of(line) + width_of(piece.rstrip()) > width and line.strip():
            lines.append(line.rstrip())
            line = ""
        line = line + piece if line else piece.lstrip()
        while width_of(line.rstrip()) > width:
            head, line = _split(line, width)
            lines.append(head)
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> list[str]:
    """Pieces between which a line may break: after a space, or around a wide character that is no punctuation."""
    pieces, piece = [], ""
    for char, following in zip(text, f"{text[1:]} ", strict=True):
        piece += char
        if char == " " or (width_of(char) == 2 and char not in _OPENING and following not in _CLOSING):
            pieces.append(piece)
            piece = ""
    return [*pieces, piece] if piece else pieces


def _split(text: str, width: int) -> tuple[str, str]:
    taken = 0
    for i, char in enumerate(text):
        taken += width_of(char)
        if taken > width:
            return text[: max(i, 1)], text[max(i, 1) :]
    return text, ""


def hang(lead: str, text: str, width: int = WIDTH) -> list[str]:
    """``text`` wrapped behind ``lead``, its later lines indented to stand below its first."""
    if width_of(lead) > width * 2 // 3:  # an id as long as a line: what is said of it stands below
        return [lead.rstrip(), *hang("      ", text, width)]
    indent = " " * width_of(lead)
    return [(lead if i == 0 else indent) + line for i, line in enumerate(wrap(text, width - width_of(lead)))]


@dataclass(frozen=True, slots=True)
class Paint:
    """Escape codes where there is a terminal, nothing elsewhere."""

    on: bool = False

    def __call__(self, text: str, *styles: str) -> str:
        """``text`` in the named styles."""
        if not self.on or not styles:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"
