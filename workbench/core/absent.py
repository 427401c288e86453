"""Imports without an optional package that takes long and gives nothing here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def absent(name: str) -> Iterator[None]:
    """Within it a package that was not imported yet is as if it were not installed.

    What is imported within keeps doing without it; afterwards the package can be imported as ever.

    Args:
        name: of the package.
    """
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
