"""A scoring job: killed, resumed, on a cluster whose worker dies; the numbers are those of one quiet run."""

import multiprocessing as mp
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core import StoreError, WorkbenchError
from workbench.methods import scoring_job
from workbench.methods.allpairs import AllPairs, Plan, Side, compare_all


def plan(n: int = 300, seed: int = 0) -> Plan:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, 40, n)
    v = rng.standard_normal((40, 16))[subjects] + rng.standard_normal((n, 16))
    return Plan(Side((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32), subjects), fmr=0.01)


def same(one: AllPairs, other: AllPairs) -> None:
    assert np.array_equal(one.places, other.places)
    assert np.allclose(one.tail.highest, other.tail.highest, atol=1e-6)
    found = [r.fnmr_at_fmr(0.01, resamples=50) for r in (one, other)]
    assert (found[0].value, found[0].low, found[0].high) == (found[1].value, found[1].low, found[1].high)


def _die_after(folder: Path, strips: int) -> None:
    def progress(done: int, _: int) -> None:
        if done == strips:
            os.kill(os.getpid(), signal.SIGKILL)

    scoring_job.run_job(scoring_job.open_job(folder, plan(), rows=32), device="cpu", progress=progress)


def test_a_killed_job_goes_on_where_it_was(tmp_path: Path) -> None:
    process = mp.get_context("spawn").Process(target=_die_after, args=(tmp_path / "job", 4))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    job = scoring_job.open_job(tmp_path / "job", plan(), rows=32)
    assert len(job.missing()) == 10 - 4
    told: list[tuple[int, int]] = []
    found = scoring_job.run_job(job, device="cpu", progress=lambda *a: told.append(a))
    assert told == [(n, 10) for n in range(5, 11)]
    same(found, compare_all(plan(), device="cpu"))
    assert scoring_job.open_job(tmp_path / "job", plan(), rows=32).missing() == []


@pytest.mark.parametrize(
    "other", [plan(seed=1), Plan(plan().references, fmr=0.02), Plan(plan().references, plan().references, fmr=0.01)]
)
def test_another_jobs_folder_is_refused(tmp_path: Path, other: Plan) -> None:
    scoring_job.open_job(tmp_path, plan())
    with pytest.raises(StoreError, match="holds another scoring job"):
        scoring_job.open_job(tmp_path, other)


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    job = scoring_job.open_job(tmp_path, plan(), rows=100)
    scoring_job.run_job(job, device="cpu")
    part = job.part((100, 200))
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(WorkbenchError):
        job.result()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    pytest.importorskip("distributed")
    client = scoring_job.connect(workers=2)
    yield client
    client.cluster.close()
    client.close()


def test_a_cluster_gives_the_same_and_a_killed_worker_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    same(scoring_job.run_job(scoring_job.open_job(tmp_path / "one", plan(), rows=50), cluster=cluster, device="cpu"),
         compare_all(plan(), device="cpu"))  # fmt: skip
    pids = cluster.run(os.getpid)
    killed: list[int] = []

    def progress(done: int, _: int) -> None:
        if not killed:
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    job = scoring_job.open_job(tmp_path / "two", plan(2000), rows=16)
    found = scoring_job.run_job(job, cluster=cluster, device="cpu", progress=progress)
    assert killed
    same(found, compare_all(plan(2000), device="cpu"))


def test_no_scheduler_is_said() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(WorkbenchError, match="no Dask scheduler answers"):
        scoring_job.connect("tcp://127.0.0.1:1")
