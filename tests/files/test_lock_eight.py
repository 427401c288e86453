"""Eight processes at one lock (RELIABILITY F6): no update is lost, a reader sees whole files, the dead are replaced."""

import json
import multiprocessing as mp
import os
import signal
from multiprocessing.synchronize import Barrier
from pathlib import Path

from workbench import files

ROUNDS, PROCESSES = 25, 8
PADDING = "x" * 20_000


def _count(folder: Path, barrier: Barrier) -> None:
    barrier.wait()
    for _ in range(ROUNDS):
        with files.Lock(folder / "lock", wait=60):
            number = json.loads(files.read_text(folder / "count.json"))["n"]
            files.commit_text(folder / "count.json", json.dumps({"n": number + 1, "padding": PADDING}))


def _die_holding(folder: Path, barrier: Barrier) -> None:
    with files.Lock(folder / "lock", wait=60):
        barrier.wait()
        os.kill(os.getpid(), signal.SIGKILL)


def test_eight_processes_count_together_while_one_reads(tmp_path: Path) -> None:
    context = mp.get_context("fork")
    files.commit_text(tmp_path / "count.json", json.dumps({"n": 0, "padding": PADDING}))
    # The first holder dies with the lock in its hand, just when the others start.
    barrier = context.Barrier(PROCESSES + 1)
    killed = context.Process(target=_die_holding, args=(tmp_path, barrier))
    killed.start()
    workers = [context.Process(target=_count, args=(tmp_path, barrier)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    seen = []
    while any(w.is_alive() for w in workers):
        whole = json.loads(files.read_text(tmp_path / "count.json"))
        assert whole["padding"] == PADDING
        seen.append(whole["n"])
    for process in (killed, *workers):
        process.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert [w.exitcode for w in workers] == [0] * PROCESSES
    assert json.loads(files.read_text(tmp_path / "count.json"))["n"] == PROCESSES * ROUNDS
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
