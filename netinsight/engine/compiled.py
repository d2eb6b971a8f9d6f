"""The kernels as numba compiles them; all its options stand here. Imported only where there is a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any

import numba

from netinsight.engine import kernels

OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "boundscheck": False}


@lru_cache(maxsize=1)
def compiled() -> SimpleNamespace:
    """The kernels of ``kernels.IN_ORDER`` by name, each calling the compiled form of its callees.

    The compiled code is cached beside the file; numba notices a change of it, since all kernels stand in one file.
    With ``NUMBA_DISABLE_JIT=1`` they are the plain functions.
    """
    scope: dict[str, Any] = dict(vars(kernels))
    for plain in kernels.IN_ORDER:
        scope[plain.__name__] = _compile(FunctionType(plain.__code__, scope, plain.__name__))
    return SimpleNamespace(**{plain.__name__: scope[plain.__name__] for plain in kernels.IN_ORDER})


def _compile(function: FunctionType) -> Callable[..., Any]:
    function.__module__ = kernels.__name__
    try:
        return numba.njit(**OPTIONS)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no place to keep the cache: a read-only home
        return numba.njit(**{**OPTIONS, "cache": False})(function)  # type: ignore[no-any-return]
