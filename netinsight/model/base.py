"""What every described object shares: frozen models, words read without regard to case, and declared unknowns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import PydanticCustomError, core_schema

from netinsight import addresses
from netinsight.errors import did_you_mean, one_of, visible
from netinsight.flow import LAST_PORT, NAMES, PROTOCOLS, PortRange

T = TypeVar("T")
Path = tuple[str | int, ...]
"""Where a value stands in the document: keys and list positions from the top."""


def complaint(message: str, hint: str = "") -> PydanticCustomError:
    """A validation error in our own words; ``hint`` is shown below the source line."""
    return PydanticCustomError("netinsight", "{message}", {"message": message, "hint": hint})


class Model(BaseModel):
    """Frozen, and closed to keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, validate_default=False, defer_build=True
    )


class Word(StrEnum):
    """A word of the cloud's API, read without regard to its case."""

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        if isinstance(value, str):
            return next((word for word in cls if word.casefold() == value.casefold()), None)
        return None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = dict(handler(schema))
        spellings = [
            s for word in cls for s in dict.fromkeys((word.value, word.value.lower(), word.value.capitalize()))
        ]
        return {**described, "enum": spellings}


class Unknown(Model):
    """A fact that is declared not to be known: ``{unknown: why}``."""

    unknown: str = Field(
        description="Why the fact is not known; named in every answer that hangs on it.", max_length=300
    )


KNOWN, UNKNOWN = "<known>", "<unknown>"
"""Tags that stand in the path of an error and not in the document."""


def _tag(value: Any) -> str:
    return UNKNOWN if isinstance(value, Unknown) or (isinstance(value, dict) and "unknown" in value) else KNOWN


class _MayBeUnknown:
    """Lets ``{unknown: why}`` stand for a value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        (known,) = (arg for arg in get_args(source) if arg is not Unknown)
        schema = handler.generate_schema(known)

        def write(value: Any, serialize: Callable[[Any], Any]) -> Any:
            return value.model_dump() if isinstance(value, Unknown) else serialize(value)

        return core_schema.tagged_union_schema(
            {KNOWN: schema, UNKNOWN: handler.generate_schema(Unknown)},
            discriminator=_tag,
            serialization=core_schema.wrap_serializer_function_ser_schema(write, schema=schema),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": handler(schema)["oneOf"]}


Knowable = Annotated[T | Unknown, _MayBeUnknown()]
"""``Knowable[X]``: an X, or declared unknown."""


def shown(value: Any) -> str:
    """What was found, for people: a mapping, a list, nothing, or the value itself."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"`{visible(str(value).lower() if isinstance(value, bool) else str(value), 40)}`"


def check_identifier(value: str) -> str:
    if not value or len(value) > 128 or not value.isprintable() or any(char.isspace() for char in value):
        raise complaint("an id has 1 to 128 printable characters and no spaces")
    if looks_like_cidr(value):
        raise complaint("an id has no slash and does not look like an address", "rules would take it for a CIDR")
    return value


def _label(value: str) -> str:
    if not 1 <= len(value) <= 128 or not value.isprintable():
        raise complaint("a name has 1 to 128 printable characters")
    return value


def _text(value: Any) -> Any:
    if isinstance(value, (bool, int)):
        raise complaint(f"expected text, found {shown(value)}", "put it in quotes")
    return value


Text = Annotated[str, BeforeValidator(_text)]
Id = Annotated[Text, AfterValidator(check_identifier)]
Label = Annotated[Text, AfterValidator(_label)]


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    hint = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}.get(
        str(value).lower(), ""
    )
    raise complaint(f"expected true or false, found {shown(value)}", f"write `{hint}`" if hint else "")


def _integer(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value)
    plain = re.fullmatch(r"0+([0-9]+)", text)
    hint = f"write `{plain[1]}`: a leading zero is no plain number" if plain else ""
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", text) and not plain:
        hint = "take the quotes away"
    raise complaint(f"expected a whole number, found {shown(value)}", hint)


Boolean = Annotated[bool, BeforeValidator(_boolean)]
Integer = Annotated[int, BeforeValidator(_integer)]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_integer)]
Priority = Annotated[int, Field(ge=1, le=100), BeforeValidator(_integer)]
Weight = Annotated[int, Field(ge=0, le=100), BeforeValidator(_integer)]
PrefixLengthV4 = Annotated[int, Field(ge=0, le=32), BeforeValidator(_integer)]
"""Limits stand inside the reader of numbers, so that the JSON schema has them too."""


def _number(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, str) and re.fullmatch(r"[0-9]+\.[0-9]+", value) else _integer(value)
    except PydanticCustomError:
        raise complaint(f"expected a number, found {shown(value)}") from None


Percent = Annotated[float, Field(ge=0, le=100), BeforeValidator(_number)]
Bandwidth = Annotated[float, Field(ge=0), BeforeValidator(_number)]


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise complaint(f"expected a moment such as 2026-11-24T08:00:00Z, found {shown(value)}") from None
    if moment.tzinfo is None:
        raise complaint(
            f"the moment `{value}` has no time zone",
            f"write `{value if ':' in value else value + 'T00:00:00'}Z` for UTC",
        )
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment)]


def _address(value: str) -> str:
    try:
        addresses.parse_address(value)
    except ValueError as error:
        raise complaint(str(error)) from None
    return value


def _v4(value: str) -> str:
    if addresses.family(addresses.parse_address(value)) != 4:
        raise complaint(f"expected an IPv4 address, found `{value}`")
    return value


def _v6(value: str) -> str:
    if addresses.family(addresses.parse_address(value)) != 6:
        raise complaint(f"expected an IPv6 address, found `{value}`")
    return value


Address = Annotated[Text, AfterValidator(_address)]
AddressV4 = Annotated[Address, AfterValidator(_v4)]
AddressV6 = Annotated[Address, AfterValidator(_v6)]


def _prefix(value: str) -> str:
    try:
        addresses.parse_prefix(value)
    except ValueError as error:
        raise complaint(str(error)) from None
    return value


def _network(value: str) -> str:
    prefix = addresses.parse_prefix(_prefix(value))
    if prefix.had_host_bits:
        raise complaint(f"`{value}` has host bits set", f"did you mean `{prefix}`?")
    return value


Cidr = Annotated[Text, AfterValidator(_prefix)]
"""A CIDR whose host bits, if any, are masked (and warned of)."""


def _network_of(version: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if addresses.parse_prefix(_network(value)).family != version:
            raise complaint(f"expected an IPv{version} CIDR, found `{value}`")
        return value

    return check


NetworkCidrV4 = Annotated[Text, AfterValidator(_network_of(4))]
NetworkCidrV6 = Annotated[Text, AfterValidator(_network_of(6))]
"""A CIDR without host bits: of a VPC or a vSwitch."""


def looks_like_cidr(value: str) -> bool:
    """Whether ``value`` was meant as a CIDR or address, not as the id of an object."""
    return bool(re.fullmatch(r"[0-9.]+(/.*)?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(/.*)?", value)) or "/" in value


def _peer(value: str) -> str:
    return _prefix(value) if looks_like_cidr(value) else check_identifier(value)


CidrOrId = Annotated[Text, AfterValidator(_peer)]
"""A CIDR, or the id of a group or prefix list where one may stand."""


def parse_rule_ports(written: str) -> PortRange | None:
    """``N/M`` as the cloud writes a range; ``-1/-1`` is every port and gives None.

    Raises
    ------
    PydanticCustomError
        For anything else.
    """
    if written == "-1/-1":
        return None
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", written)
    if not match:
        lone = re.fullmatch(r"([0-9]{1,5})(?:\s*[-:,]\s*([0-9]{1,5}))?", written)
        hint = f"did you mean `{lone[1]}/{lone[2] or lone[1]}`?" if lone else ""
        raise complaint(f"`{written[:40]}` is not a port range such as 22/22, 8000/8010 or -1/-1", hint)
    first, last = int(match[1]), int(match[2])
    if max(first, last) > LAST_PORT:
        raise complaint(f"port range `{written}` is out of range (1 to {LAST_PORT})")
    if first > last:
        raise complaint(f"port range `{written}` runs backwards", f"did you mean `{last}/{first}`?")
    return PortRange(first, last)


def _rule_ports(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z][\w.-]*", value):
        parse_rule_ports(value)
    return value


RulePorts = Annotated[Text, BeforeValidator(_rule_ports)]
"""``N/M``, ``-1/-1`` for all, or the id of a port list."""

ALL = "all"


def _protocol(value: Any) -> Any:
    word = str(value).lower() if not isinstance(value, bool) else ""
    if word == ALL or word in PROTOCOLS:
        return word
    if re.fullmatch(r"0|[1-9][0-9]{0,2}", word) and int(word) <= 255:
        return NAMES.get(int(word), word)
    words = [ALL, *PROTOCOLS]
    message = f"protocol {shown(value)} is not known ({one_of(words)}, or a number from 0 to 255)"
    raise complaint(message, did_you_mean(word, words))


RuleProtocol = Annotated[
    str,
    BeforeValidator(_protocol, json_schema_input_type=str | int),
]
"""``all``, a name, or a number of 0–255 (6 is tcp, 17 udp, 1 icmp, 58 icmpv6, 47 gre)."""


def protocol_range(word: str) -> tuple[int, int]:
    """The protocol numbers that a rule's word stands for, inclusive."""
    if word == ALL:
        return 0, 255
    number = PROTOCOLS[word] if word in PROTOCOLS else int(word)
    return number, number


class Named(Model):
    """An object that a user may name and tag."""

    name: Label | None = Field(None, description="A name for people; usable on the command line where it is unique.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags, as key and value.")
