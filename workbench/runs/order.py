"""From parameters that somebody typed to a job in the queue: checked, made independent of the folder, given a slot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..core import BusyError, ParameterError
from .parameters import Parameter, check, errors
from .process import absolute
from .queue import Job, Queue

_NVIDIA = Path("/dev/nvidiactl")
_PATHS = ("data", "model")


def misfits(
    given: Mapping[str, object], known: Mapping[str, Parameter], base: Path | None = None
) -> dict[str, ParameterError]:  # fmt: skip
    """Everything that does not fit, by name: see `parameters.errors`; paths that no file can have, too.

    Args:
        given: by name.
        known: see `parameters.schema`.
        base: see `order`.
    """
    found = errors(given, known)
    for name in _PATHS:
        if name in given and name in known and name not in found:
            try:
                absolute(str(given[name]), base)
            except ParameterError as error:
                found[name] = error
    return found


def order(
    given: Mapping[str, object], known: Mapping[str, Parameter], base: Path | None = None
) -> tuple[dict[str, object], str]:
    """Parameters as a job carries them, and the slot that it takes.

    Args:
        given: by name; ``out`` belongs to the runner and is left out.
        known: see `parameters.schema`.
        base: folder that relative paths of data and weights are taken from; the current one if not given.

    Raises:
        ParameterError: one does not fit.
    """
    values = {name: value for name, value in given.items() if name != "out"}
    checked = check(values, known)
    for name in _PATHS:
        if name in values:
            values[name] = absolute(str(checked[name]), base)
    return values, slot(str(checked.get("device", "cpu")), known.get("device"))


def slot(device: str, parameter: Parameter | None) -> str:
    """``"gpu"`` where the run would use one: it is asked for, or there is one and the study may choose it."""
    if device.startswith("cuda"):
        return "gpu"
    may = parameter is not None and (not parameter.choices or any(str(c).startswith("cuda") for c in parameter.choices))
    return "gpu" if device == "auto" and may and _NVIDIA.exists() else "cpu"


def restart(queue: Queue, number: int, *, origin: str = "command line", limit: int | None = None) -> Job:
    """Queue what an ended job was asked to do once more.

    Raises:
        UnknownNameError: there is no such job.
        BusyError: it has not ended.
        FullError: too many wait.
    """
    job = queue.get(number)
    if not job.over:
        raise BusyError(f"job {number} has not ended", given=job.state, do="cancel it first")
    return queue.add(job.study, job.parameters, device=job.device, origin=origin, restarted_from=number, limit=limit)
