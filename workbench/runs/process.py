"""Run a study: a frozen identity, an own process group, one commit, and resume after any death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from .. import data as datasets
from .. import files, models, studies
from ..core import ParameterError, Result, RunError, StoreError, WorkbenchError, parted
from . import alive, child, identity, journal, parameters
from .home import run_folder
from .reuse import IDENTITY
from .session import OUTCOME

RESULT = "result.json"
# Only these reach the run: no key or token of the user's shell does, but the name of the file with a key may.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "WORKBENCH_HOME", "WORKBENCH_SHARED", "VIRTUAL_ENV",
               "CUDA_VISIBLE_DEVICES", "OMP_WAIT_POLICY", "OMP_NUM_THREADS",
               "LD_LIBRARY_PATH", "PYTHONPATH", "OPENBLAS_CORETYPE",
               "OPENBLAS_L2_SIZE", "WORKBENCH_PROBE_KEY_FILE", alive.MARK)  # fmt: skip
Progress = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Done:
    """A committed run.

    Attributes:
        folder: where it lies.
        result: what it found.
        fresh: False where an earlier run of the same identity was found.
    """

    folder: Path
    result: Result
    fresh: bool


def run(
    slug: str,
    given: Mapping[str, object] | None = None,
    *,
    budget: float = 24 * 3600,
    progress: Progress | None = None,
    after: Callable[[Path, Result], object] | None = None,
    stop: threading.Event | None = None,
    memory: int | None = None,
    begun: Callable[[Path], None] | None = None,
    log: IO[Any] | None = None,
) -> Done:
    """Run a study, or find that it was run already.

    Args:
        slug: of the study.
        given: parameters; the rest take their defaults.
        budget: seconds until it is stopped.
        progress: called with the slug and each event of the journal.
        after: called with the folder and the result before the commit, e.g. to write a report.
        stop: set it from another thread to stop the run.
        memory: most bytes of address space that the run may take; not for runs on a GPU, whose drivers reserve
            far more than they use.
        begun: called with the folder once the identity is known.
        log: a file that takes what the notebook prints.

    Raises:
        ParameterError: before any kernel starts.
        RunError: it failed, died or ran out of time; finished steps are kept and not done again.
    """
    listed = studies.listing(slug)
    known = parameters.schema(listed.notebook)
    values = {k: v for k, v in (given or {}).items() if k != "out"}
    checked = parameters.check(values, known) | {"out": ""}
    if missing := [name for name in parameters.NEEDED if name not in known]:
        raise ParameterError(
            f"{listed.notebook.name} lacks parameters that every study has", given=", ".join(known),
            expected=", ".join(parameters.COMMON), do=f"add {', '.join(missing)} to its parameters cell",
        )  # fmt: skip
    for name in ("data", "model"):
        checked[name] = absolute(str(checked[name]))
    who = identity.identify(slug, checked)
    folder = run_folder(slug, who.id)
    if begun:
        begun(folder)
    with files.Lock(folder / "lock", wait=5.0):
        if (folder / RESULT).is_file():
            return Done(folder, load(folder), fresh=False)
        _prepare(folder, who, checked | {"out": str(folder)}, listed.notebook, memory)
        _execute(slug, folder, budget, progress, stop, log)
        result = replace(files.from_json(files.read_text(folder / OUTCOME)), identity=asdict(who))
        if after:
            after(folder, result)
        files.commit_text(folder / RESULT, files.to_json(result))
        journal.write(folder, "committed")
    return Done(folder, result, fresh=True)


def load(folder: Path) -> Result:
    """The committed result of a run folder.

    Raises:
        StoreError: it is none.
    """
    result = files.from_json(files.read_text(folder / RESULT))
    if not isinstance(result, Result):
        raise StoreError("this is no result", given=type(result).__name__, expected="what a run commits")
    return result


def absolute(spec: str, base: Path | None = None) -> str:
    """Specifications whose paths hold wherever the notebook runs; relative ones are taken from ``base``.

    Raises:
        ParameterError: no file can have such a path.
    """
    parts = [s.partition(":") for s in parted(spec, lambda: [*datasets.names(), *models.names()])]
    return ";".join(f"{name}:{_resolved(path, base)}" if path else name + colon for name, colon, path in parts)


def _resolved(path: str, base: Path | None) -> Path:
    try:
        return ((base or Path()) / Path(path).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ParameterError(
            "no file can have this path",
            given=path,
            expected="a path without '\\0', '~' only of a user of this machine",
        ) from error


def _prepare(
    folder: Path, who: identity.RunIdentity, values: Mapping[str, object], notebook: Path, memory: int | None
) -> None:
    files.sweep(folder)
    (folder / OUTCOME).unlink(missing_ok=True)
    files.commit_text(folder / IDENTITY, files.to_json(asdict(who)))
    files.commit_text(folder / "order.json", json.dumps({"parameters": dict(values), "memory": memory}))
    files.commit_bytes(folder / "input.ipynb", files.read_bytes(notebook))
    journal.write(folder, "started")


def _execute(
    slug: str, folder: Path, budget: float, progress: Progress | None, stop: threading.Event | None = None,
    log: IO[Any] | None = None,
) -> None:  # fmt: skip
    environment = {k: os.environ[k] for k in ENVIRONMENT if k in os.environ}
    # Threads that spin while they wait take the processor from another run: ten times slower, measured.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    command = [sys.executable, "-m", child.__name__, str(folder)]
    # Open as long as the child: a pipe could fill up and stop it.
    said = tempfile.TemporaryFile("w+")  # noqa: SIM115
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=log or subprocess.DEVNULL, stderr=said
    )
    deadline = time.monotonic() + budget
    seen = len(journal.read(folder))
    try:
        while process.poll() is None:
            seen = _tell(slug, folder, seen, progress)
            if time.monotonic() > deadline:
                journal.write(folder, "stopped", why=f"over its budget of {budget:g} s")
                raise RunError(f"{slug} was stopped", given=f"over its budget of {budget:g} s", do="allow more time")
            if stop is not None and stop.wait(0.1):
                journal.write(folder, "stopped", why="interrupted")
                raise RunError(f"{slug} was stopped", given="interrupted", do="run it again; finished steps are kept")
            if stop is None:
                time.sleep(0.1)
    except KeyboardInterrupt:
        journal.write(folder, "stopped", why="interrupted")
        raise
    finally:
        _end(process)
    _tell(slug, folder, seen, progress)
    if process.returncode != 0 or not (folder / OUTCOME).is_file():
        said.seek(0)
        raise _failure(slug, folder, process.returncode, said.read().strip().splitlines()[-1:])


def _tell(slug: str, folder: Path, seen: int, progress: Progress | None) -> int:
    events = journal.read(folder)
    for event in events[seen:]:
        if progress:
            progress(slug, event)
    return len(events)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nobody of the group is left: kernel and grandchildren included."""
    for sign, patience in ((signal.SIGINT, 1.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
        if process.poll() is not None and sign != signal.SIGKILL:
            continue
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def _failure(slug: str, folder: Path, code: int, tail: list[str]) -> RunError:
    last: dict[str, Any] = next(
        (e for e in reversed(journal.read(folder)) if e["event"] in ("failed", "died", "started", child.OUT_OF_MEMORY)),
        {},
    )
    if last.get("event") == "started":
        why = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        journal.write(folder, "died", cell=-1, why=why)
        return RunError(f"{slug} died", given=f"{why} {' '.join(tail)}", do="run it again; finished steps are kept")
    if "event" not in last:
        return RunError(f"{slug} ended without an outcome", do="the notebook must end with run.conclude(evidence)")
    held = f"; it held {last['peak'] / 2**30:.1f} GiB at most" if "peak" in last else ""
    if last["event"] == child.OUT_OF_MEMORY:
        return RunError(
            f"{slug} ran out of memory in cell {last['cell']}",
            given=last["why"] + held,
            do="take a smaller scale or fewer samples, or allow more with --memory; finished steps are kept",
        )
    return RunError(
        f"{slug} {last['event']} in cell {last['cell']}",
        given=last["why"] + held,
        do=f"see {folder / child.EXECUTED}; run it again to go on from the finished steps",
    )


def run_many(
    slugs: list[str], given: Mapping[str, object], *, jobs: int = 1, **options: Any
) -> dict[str, Done | WorkbenchError]:
    """Several studies, ``jobs`` at a time; one that fails does not stop the others."""
    stop = threading.Event()

    def one(slug: str) -> Done | WorkbenchError:
        try:
            return run(slug, given, stop=stop, **options)
        except WorkbenchError as error:
            return error

    with ThreadPoolExecutor(jobs) as pool:
        waiting = {slug: pool.submit(one, slug) for slug in slugs}
        try:
            return {slug: future.result() for slug, future in waiting.items()}
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
