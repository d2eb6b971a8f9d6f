"""``nft -j list ruleset`` -> the rules of a guest, every mistake with its place."""

from __future__ import annotations

from netinsight.errors import InputError
from netinsight.guest.nftables import Ruleset, read_ruleset
from netinsight.sources.document import Document
from netinsight.sources.json_file import read_json


def read_nftables(text: str, file: str) -> Ruleset:
    """The rules that a text tells.

    Raises
    ------
    InputError
        With every mistake.
    """
    builder = read_json(text.removeprefix("\ufeff"), file)
    assert builder.result is not None
    if builder.problems:
        raise InputError(builder.problems)
    value, spot = builder.result
    return read_ruleset(value, Document(value, spot, {file: text}))
