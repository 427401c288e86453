"""All pairs as a job that survives a kill, on this machine or on a Dask cluster.

The work is divided into strips of references. What a strip keeps is committed to the job's folder as soon as it is
there; a job that is started again does only what is missing, and gives the numbers of one that never stopped.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import StoreError, WorkbenchError
from ..metrics.tally import Tally
from .allpairs import ROWS, AllPairs, Plan, Progress, Side, gather, score_strip, strips

Kept = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Job:
    """Where a plan's parts are kept.

    Attributes:
        folder: of the job; it may hold the parts of an earlier start of the same job.
        plan: what is compared.
        rows: references in a strip.
    """

    folder: Path
    plan: Plan
    rows: int = ROWS

    def part(self, strip: tuple[int, int]) -> Path:
        """The file of a strip."""
        return self.folder / f"strip-{strip[0]:012d}.part"

    def missing(self) -> list[tuple[int, int]]:
        """Strips that are not committed yet."""
        return [s for s in strips(self.plan, self.rows) if not self.part(s).is_file()]

    def keep(self, strip: tuple[int, int], kept: Kept) -> None:
        """Commit what a strip gave."""
        files.commit_bytes(self.part(strip), files.pack({"values": kept[0], "places": kept[1]}))

    def result(self) -> AllPairs:
        """The numbers, once nothing is missing."""
        tally = Tally(self.plan.keep)
        for strip in strips(self.plan, self.rows):
            kept = files.unpack(files.read_bytes(self.part(strip)))
            tally.add(kept["values"], kept["places"])
        return gather(self.plan, tally)


def identity(plan: Plan, rows: int) -> str:
    """Digest of all that decides what a part holds."""
    digest = hashlib.sha256(repr((plan.fmr, plan.spare, rows, plan.probes is None)).encode())
    for side in (plan.references, plan.other):
        for array in (side.embeddings, side.subjects, side.present):
            digest.update(str((array.dtype, array.shape)).encode())
            # In pieces: a memory map need not fit into memory.
            for start in range(0, len(array), 65_536):
                digest.update(np.ascontiguousarray(array[start : start + 65_536]).tobytes())
    return digest.hexdigest()


def open_job(folder: str | Path, plan: Plan, *, rows: int = ROWS) -> Job:
    """A job's folder, new or begun.

    Raises:
        StoreError: the folder holds another job.
    """
    job = Job(Path(folder), plan, rows)
    name, who = job.folder / "job.json", identity(plan, rows)
    if name.is_file():
        held = files.from_json(files.read_text(name))["identity"]
        if held != who:
            raise StoreError(
                f"{job.folder} holds another scoring job",
                given=f"identity {who[:12]}",
                expected=f"identity {held[:12]}: the same embeddings, subjects, FMR and rows",
                do="take another folder, or delete this one",
            )
        files.sweep(job.folder)
        return job
    files.commit_text(name, files.to_json({"identity": who}))
    return job


def run_job(job: Job, *, device: str = "auto", cluster: Any = None, progress: Progress | None = None) -> AllPairs:
    """Do what is missing, then give the numbers.

    Args:
        job: of `open_job`.
        device: of each worker; see `models.devices.resolve`.
        cluster: None works here; a `dask.distributed.Client` on its workers.
        progress: called with how many strips are done and how many there are.
    """
    whole = len(strips(job.plan, job.rows))
    missing = job.missing()
    done = _here(job.plan, missing, device) if cluster is None else _on_cluster(job.plan, missing, device, cluster)
    for number, (strip, kept) in enumerate(done, whole - len(missing) + 1):
        job.keep(strip, kept)
        if progress:
            progress(number, whole)
    return job.result()


def _strip(plan: Plan, strip: tuple[int, int], device: str) -> tuple[tuple[int, int], Kept]:
    from ..models import devices

    return strip, score_strip(plan, strip, device=devices.resolve(device)).highest()


def _here(plan: Plan, missing: list[tuple[int, int]], device: str) -> Iterator[tuple[tuple[int, int], Kept]]:
    for strip in missing:
        yield _strip(plan, strip, device)


def _on_cluster(
    plan: Plan, missing: list[tuple[int, int]], device: str, cluster: Any
) -> Iterator[tuple[tuple[int, int], Kept]]:
    """Strips as they come; the embeddings go to each worker once, and a dead worker's strips to another."""
    as_completed: Any = importlib.import_module("dask.distributed").as_completed
    sides = [_in_memory(side) for side in (plan.references, plan.probes)]
    there = cluster.scatter(Plan(sides[0], sides[1], plan.fmr, plan.spare), broadcast=True, hash=False)  # type: ignore[arg-type]
    tasks = [cluster.submit(_strip, there, strip, device, pure=False, retries=3) for strip in missing]
    for task in as_completed(tasks):
        yield task.result()
        task.release()


def _in_memory(side: Side | None) -> Side | None:
    """A memory map's file need not be on the workers' machines."""
    return side and Side(np.array(side.embeddings), side.subjects, side.acquired)


def connect(address: str = "", *, workers: int = 2) -> Any:
    """A Dask client: of the scheduler at an address, or of a cluster of processes on this machine.

    Args:
        address: e.g. ``"tcp://host:8786"``; "" starts processes here.
        workers: how many processes.

    Raises:
        WorkbenchError: Dask is not installed, or no scheduler answers.
    """
    try:
        distributed: Any = importlib.import_module("dask.distributed")
    except ImportError as error:
        raise WorkbenchError("this needs Dask", do="pip install 'face-workbench[scale]'") from error
    if not address:
        local = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        )
        return distributed.Client(local)
    try:
        return distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise WorkbenchError(
            "no Dask scheduler answers", given=f"{address}: {error}", expected="an address such as tcp://host:8786"
        ) from error
