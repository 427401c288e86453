"""Face Workbench: a Jupyter-first research bench for face biometrics.

Importing this package loads no heavy library; rooms load when they are first named.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = (
    "core", "files", "data", "models", "metrics", "probing", "methods", "claims", "studies", "runs", "figures",
    "widgets", "server",
)  # fmt: skip
_NAMES = {"begin": "workbench.runs", "verify": "workbench.methods.verification"}

__all__ = [*_ROOMS, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"workbench.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where a Jupyter server finds the extension."""
    from .server.app import WorkbenchExtension

    return [{"module": "workbench", "app": WorkbenchExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where JupyterLab finds the built front end."""
    return [{"src": "labextension", "dest": "@face-workbench/jupyterlab"}]


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
