"""The colours of pages and drawings, each for light and for dark surroundings.

Text colours keep a contrast of 4.5:1 or more on every ground that they stand on (``tests/render`` computes it).
"""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "page": ("#f5f6f8", "#0f1318"),
    "card": ("#ffffff", "#181d24"),
    "sunk": ("#f1f3f6", "#12161c"),
    "line": ("#d5dae1", "#323a45"),
    "ink": ("#1b2027", "#e6eaef"),
    "dim": ("#545d69", "#a3adb9"),
    "road": ("#7c8794", "#6d7886"),
    "accept": ("#1a7340", "#56c288"),
    "drop": ("#b3261e", "#ff8f85"),
    "partial": ("#8a5300", "#e8ae4a"),
    "unknown": ("#6a4fb0", "#b9a3f5"),
    "accept-tint": ("#e9f5ee", "#14291e"),
    "drop-tint": ("#fdeeec", "#351b1b"),
    "partial-tint": ("#fdf3e1", "#30250f"),
    "unknown-tint": ("#f2eefb", "#251f37"),
    "on": ("#ffffff", "#10141a"),
}
"""By name; ``on`` is what stands on a filled mark."""

TEXT = ("ink", "dim", "accept", "drop", "partial", "unknown")
"""Those that text is written in."""

GROUNDS = ("page", "card", "sunk", "accept-tint", "drop-tint", "partial-tint", "unknown-tint")
"""Those that text stands on."""


def declarations(*, dark: bool) -> str:
    """The colours as CSS custom properties: ``--ni-ink:#1b2027;…``."""
    return "".join(f"--ni-{name}:{pair[dark]};" for name, pair in COLOURS.items())


def colour(name: str) -> str:
    """A colour as a CSS value that follows its surroundings, and is the light one where nothing sets them."""
    return f"var(--ni-{name},{COLOURS[name][0]})"
