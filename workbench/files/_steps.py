"""Every write passes here step by step, so that tests can fail or kill at any of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Hook = Callable[[str, Path], None]
_hooks: list[Hook] = []


def step(kind: str, path: Path) -> None:
    """Announce one step (``create write flush fsync rename fsync-folder lock append``) before it is done."""
    for hook in _hooks:
        hook(kind, path)


def watch(hook: Hook) -> Callable[[], None]:
    """Call ``hook`` before every step; returns the function that ends it."""
    _hooks.append(hook)
    return lambda: _hooks.remove(hook)
