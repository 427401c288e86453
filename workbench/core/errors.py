"""The one exception tree. Every message says what was given, what was expected and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorkbenchError(Exception):
    """Base of every error that the workbench raises on purpose.

    Args:
        what: one sentence that says what went wrong.
        given: what was found.
        expected: what would have been right.
        do: the next step for the reader.
    """

    def __init__(self, what: str, *, given: object = None, expected: object = None, do: str | None = None) -> None:
        self.what = what
        self.given = given
        self.expected = expected
        self.do = do
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.what]
        for label, value in (("given", self.given), ("expected", self.expected), ("do", self.do)):
            if value is not None:
                lines.append(f"  {label}: {value}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the parts when an error crosses a process border."""
        return _rebuild, (type(self), self.what, self.given, self.expected, self.do)


def _rebuild(kind: type[WorkbenchError], what: str, given: object, expected: object, do: str | None) -> WorkbenchError:
    error = kind.__new__(kind)
    WorkbenchError.__init__(error, what, given=given, expected=expected, do=do)
    return error


class ShapeError(WorkbenchError, ValueError):
    """An array has the wrong shape, type or range."""


class ParameterError(WorkbenchError, ValueError):
    """A study or function parameter is unknown, of the wrong type or out of range."""


class ImageError(WorkbenchError, ValueError):
    """Bytes are not an image that the workbench accepts."""


class WeightsError(WorkbenchError, ValueError):
    """A weights file is damaged, hostile or made for another network."""


class DataError(WorkbenchError, ValueError):
    """A data set's folder or lists are not laid out as published."""


class NoTrialsError(DataError):
    """The data set compares nobody with nobody: it has labels, not pairs."""


class DigestError(WorkbenchError):
    """Bytes differ from those that the digest was taken of."""


class StoreError(WorkbenchError, OSError):
    """Something could not be written or read; what was there before is whole."""


class DeviceError(WorkbenchError, RuntimeError):
    """A device or provider was asked for that this machine does not have."""


class PluginError(WorkbenchError, RuntimeError):
    """A plug-in failed to load, or two plug-ins claim one name."""


class RunError(WorkbenchError, RuntimeError):
    """A run failed, died or was stopped; it has no result."""


class BusyError(WorkbenchError, RuntimeError):
    """Not in the present state: it is running, or it has ended."""


class FullError(BusyError):
    """No room is left for another one."""


class ConsentError(WorkbenchError, PermissionError):
    """Pictures would leave the machine, and nobody has agreed to that."""


class BudgetError(WorkbenchError, RuntimeError):
    """The next call could exceed what may be spent."""


class UnknownNameError(WorkbenchError, LookupError):
    """A name is not registered; the message lists the nearest known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, do: str | None = None) -> None:
        known = sorted(known)
        near = nearest(name, known)
        expected = (
            "did you mean " + " or ".join(repr(n) for n in near) + "?"
            if near
            else "one of: " + ", ".join(known[:20])
            if known
            else f"no {kind} is registered"
        )
        super().__init__(f"unknown {kind} {name!r}", given=name, expected=expected, do=do)


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Known names most like ``name``, best first, at most ``n``."""
    return difflib.get_close_matches(name, list(known), n=n, cutoff=0.5)
