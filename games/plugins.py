"""The one loader of plug-ins, shared by games, agents and models, and the spelling of specs like `hex(size=7)`.

Names are entry points of three groups; ours are found the same way as a stranger's. Listing imports nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module, metadata
from math import isfinite
from typing import Any

from stratarena.games.base import Game, SpecError

__all__ = ["BRIDGES", "GROUPS", "PluginInfo", "load", "load_game", "names", "parse_spec", "print_spec"]

BRIDGES = {
    "open_spiel": ("stratarena.games.adapters.open_spiel", "OpenSpiel", "open-spiel"),
    "pettingzoo": ("stratarena.games.adapters.pettingzoo", "PettingZoo", "pettingzoo"),
}
"""By prefix of a spec: the module, what makes a game in it of a name and parameters, and the extra it needs."""

GROUPS = ("stratarena.games", "stratarena.agents", "stratarena.models")

_SPEC = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.:-]*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_PARAM = re.compile(
    r"""\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("[^"\\]*"|'[^'\\]*'|true|false|[+-]?[0-9]{1,18}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)\s*"""
)
_FORM = "name or name(key=value, …) with values that are numbers, true, false or quoted strings"

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plug-in that was found, not yet imported."""

    name: str
    value: str
    """`module:attribute`."""
    distribution: str


def parse_spec(text: str) -> tuple[str, dict[str, Value]]:
    """The name and the parameters of a spec such as `hex(size=7, swap=true)`.

    Raises:
        SpecError: the text has another form.
    """
    whole = _SPEC.fullmatch(text)
    if whole is None:
        raise SpecError(f"{text!r} is no spec; expected {_FORM}")
    name, inside = whole[1], whole[2]
    params: dict[str, Value] = {}
    if inside is None or not inside.strip():
        return name, params
    position = 0
    while True:
        param = _PARAM.match(inside, position)
        if param is None:
            raise SpecError(f"{text!r}: cannot read {inside[position:].strip()!r}; expected {_FORM}")
        if param[1] in params:
            raise SpecError(f"{text!r}: {param[1]} is given twice")
        params[param[1]] = _value(param[2])
        position = param.end()
        if position == len(inside):
            return name, params
        if inside[position] != ",":
            raise SpecError(f"{text!r}: cannot read {inside[position:].strip()!r}; expected a comma or the end")
        position += 1


def print_spec(name: str, params: Mapping[str, Value]) -> str:
    """The text that `parse_spec` reads back, parameters in the given order.

    Raises:
        SpecError: a text with both kinds of quotes, or with a backslash, has no spelling.
    """
    if not params:
        return name
    return f"{name}({', '.join(f'{key}={_printed(value)}' for key, value in params.items())})"


def names(group: str) -> tuple[PluginInfo, ...]:
    """Every plug-in of the group by name, then by distribution; nothing is imported."""
    return tuple(
        PluginInfo(point.name, point.value, _owner(point))
        for point in sorted(_points(group), key=lambda point: (point.name, _owner(point)))
    )


def load(group: str, name: str) -> Any:
    """The thing that a plug-in's name stands for.

    Raises:
        SpecError: no such name, two distributions claim it, or it fails to import.
    """
    points = _points(group)
    claims = [point for point in points if point.name == name]
    kind = group.rpartition(".")[2]
    if not claims:
        known = sorted({point.name for point in points})
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SpecError(f"there is no {kind.rstrip('s')} {name!r}; {hint}there are: {', '.join(known)}")
    owners = sorted({_owner(point) for point in claims})
    if len(owners) > 1:
        raise SpecError(f"{kind.rstrip('s')} {name!r} is claimed by {' and by '.join(owners)}; uninstall one of them")
    try:
        return claims[0].load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise SpecError(f"{kind.rstrip('s')} {name!r} cannot be loaded from {claims[0].value}: {error}") from error


def load_game(text: str) -> Game[Any]:
    """The game of a spec such as `connect_four` or `hex(size=7)`.

    Raises:
        SpecError: no such game, an unknown parameter, or a value that the game refuses.
    """
    name, params = parse_spec(text)
    library, colon, _ = name.partition(":")
    if colon:
        return _bridged(text, library, name, params)
    factory = load("stratarena.games", name)
    takes_all, known = _parameters(factory)
    for key in params:
        if key not in known and not takes_all:
            close = get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            takes = f"it takes: {', '.join(known)}" if known else "it takes none"
            raise SpecError(f"{text!r}: {name} has no parameter {key!r}; {hint}{takes}")
    try:
        game: Game[Any] = factory(**params)
    except TypeError as error:
        raise SpecError(f"{text!r}: {error}") from None
    return game


def _bridged(text: str, library: str, name: str, params: Mapping[str, Value]) -> Game[Any]:
    """A game of another library, `LIBRARY:NAME`; the bridge is imported now."""
    if library not in BRIDGES:
        raise SpecError(f"{text!r}: there is no bridge {library!r}; there are: {', '.join(BRIDGES)}")
    module, factory, extra = BRIDGES[library]
    try:
        bridge = import_module(module)
    except ImportError as error:
        raise SpecError(f"{text!r}: {error}; install the extra: pip install 'stratarena[{extra}]'") from error
    game: Game[Any] = getattr(bridge, factory)(name.partition(":")[2], params)
    return game


@lru_cache(maxsize=len(GROUPS))
def _points(group: str) -> tuple[metadata.EntryPoint, ...]:
    return tuple(metadata.entry_points(group=group))


def _owner(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def _parameters(factory: Callable[..., object]) -> tuple[bool, list[str]]:
    """Whether a factory takes any keyword, and the names of those it names."""
    named = inspect.signature(factory).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return (
        any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in named),
        [parameter.name for parameter in named if parameter.kind not in variadic],
    )


def _value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if text[0] in "\"'":
        return text[1:-1]
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    number = float(text)
    if not isfinite(number):
        raise SpecError(f"{text!r} is too large a number")
    return number


def _printed(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    quote = "'" if '"' in value else '"'
    if quote in value or "\\" in value:
        raise SpecError(f"{value!r} cannot be written in a spec: it has both kinds of quotes, or a backslash")
    return f"{quote}{value}{quote}"
