"""The kernels as numba compiles them; all its options stand here. Imported only where there is a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numba

from netinsight.engine import index_kernels, kernels

OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "boundscheck": False}


def compiled() -> SimpleNamespace:
    """The kernels of ``kernels``."""
    return _all_of(kernels)


def compiled_index() -> SimpleNamespace:
    """The kernels of ``index_kernels``."""
    return _all_of(index_kernels)


@lru_cache(maxsize=2)
def _all_of(module: ModuleType) -> SimpleNamespace:
    """The kernels of ``module.IN_ORDER`` by name, each calling the compiled form of its callees.

    The compiled code is cached beside the file; numba notices a change of it, since a kernel calls none of another file.
    With ``NUMBA_DISABLE_JIT=1`` they are the plain functions.
    """
    scope: dict[str, Any] = dict(vars(module))
    for plain in module.IN_ORDER:
        scope[plain.__name__] = _compile(FunctionType(plain.__code__, scope, plain.__name__), module)
    return SimpleNamespace(**{plain.__name__: scope[plain.__name__] for plain in module.IN_ORDER})


def _compile(function: FunctionType, module: ModuleType) -> Callable[..., Any]:
    function.__module__ = module.__name__
    try:
        return numba.njit(**OPTIONS)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no place to keep the cache: a read-only home
        return numba.njit(**{**OPTIONS, "cache": False})(function)  # type: ignore[no-any-return]
