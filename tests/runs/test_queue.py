"""The table of jobs: every change is one conditional update, so each job starts once and ends once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.core import BusyError, FullError, StoreError, UnknownNameError
from workbench.runs import alive
from workbench.runs.order import order, restart, slot
from workbench.runs.parameters import Parameter
from workbench.runs.queue import Queue

LIMITS = {"cpu": 1, "gpu": 1}


@pytest.fixture
def queue(home: Path) -> Queue:
    return Queue()


def started(queue: Queue, pid: int | None = None) -> int:
    claimed = queue.claim(LIMITS)
    assert claimed is not None
    job, token = claimed
    assert queue.start(job.id, token, pid or os.getpid())
    return job.id


def test_a_job_goes_from_queued_to_done(queue: Queue) -> None:
    job = queue.add("saliency", {"seed": 1}, origin="server")
    assert (job.state, job.parameters, job.origin, job.over) == ("queued", {"seed": 1}, "server", False)
    number = started(queue)
    queue.begin(number, os.getpid(), "abc")
    queue.tell(number, os.getpid(), {"fraction": 0.5})
    running = queue.get(number)
    assert (running.state, running.run, running.progress) == ("running", "abc", {"fraction": 0.5})
    assert running.birth == alive.birth(os.getpid()) != ""
    assert queue.finish(number, os.getpid(), running.birth or "", "done", fresh=True)
    done = queue.get(number)
    assert (done.state, done.fresh, done.over) == ("done", True, True)
    assert done.created <= (done.started or 0) <= (done.ended or 0)
    assert queue.counts() == {"queued": 0, "running": 0, "done": 1, "failed": 0, "cancelled": 0, "lost": 0}


def test_only_the_first_word_on_how_it_ended_counts(queue: Queue) -> None:
    queue.add("saliency", {})
    number = started(queue)
    birth = alive.birth(os.getpid())
    assert not queue.finish(number, os.getpid() + 1, birth, "lost")
    assert not queue.finish(number, os.getpid(), "another birth", "lost")
    assert queue.finish(number, os.getpid(), birth, "failed", reason="why")
    assert not queue.finish(number, os.getpid(), birth, "done")
    assert (queue.get(number).state, queue.get(number).reason) == ("failed", "why")


def test_a_claim_is_given_once_and_only_its_token_starts(queue: Queue) -> None:
    queue.add("saliency", {})
    claimed = queue.claim({"cpu": 5})
    assert claimed is not None
    assert queue.claim({"cpu": 5}) is None
    assert not queue.start(claimed[0].id, "another token", 1)
    # A claim that was given back, because its owner seemed dead: the late process must not run.
    assert queue.release(claimed[0])
    assert not queue.start(claimed[0].id, claimed[1], os.getpid())
    again = queue.claim({"cpu": 5})
    assert again is not None
    assert queue.start(again[0].id, again[1], os.getpid())
    assert not queue.start(again[0].id, again[1], os.getpid())


def test_many_threads_claim_every_job_once(queue: Queue) -> None:
    for seed in range(40):
        queue.add("saliency", {"seed": seed})
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: queue.claim({"cpu": 30}), range(60)))
    found = [c[0].id for c in claims if c is not None]
    # Thirty places, forty jobs, sixty takers.
    assert sorted(found) == list(range(1, 31))


def test_limits_hold_by_device(queue: Queue) -> None:
    for device in ("cpu", "cpu", "gpu", "gpu"):
        queue.add("saliency", {"seed": len(queue.jobs())}, device=device)
    taken = [queue.claim(LIMITS) for _ in range(3)]
    assert [c and c[0].device for c in taken] == ["cpu", "gpu", None]
    assert queue.claim({"cpu": 0}) is None


def test_the_same_run_waits_for_itself(queue: Queue) -> None:
    for parameters in ({"seed": 1}, {"seed": 1}, {"seed": 2}):
        queue.add("saliency", parameters)
    taken = [queue.claim({"cpu": 3}) for _ in range(3)]
    assert [c and c[0].id for c in taken] == [1, 3, None]


def test_a_waiting_job_is_cancelled_at_once_and_never_starts(queue: Queue) -> None:
    queue.add("saliency", {})
    claimed = queue.claim(LIMITS)
    assert claimed is not None
    assert queue.cancel(1).state == "cancelled"
    assert not queue.start(1, claimed[1], os.getpid())
    assert queue.cancel(1).state == "cancelled"


def test_what_has_ended_cannot_be_cancelled(queue: Queue) -> None:
    queue.add("saliency", {})
    number = started(queue)
    assert queue.cancel(number).cancel is not None
    queue.finish(number, os.getpid(), alive.birth(os.getpid()), "done")
    with pytest.raises(BusyError, match=r"job 1 has ended\n  given: done"):
        queue.cancel(number)
    with pytest.raises(UnknownNameError, match="unknown job '7'"):
        queue.cancel(7)


def test_the_queue_has_a_limit(queue: Queue) -> None:
    queue.add("saliency", {}, limit=1)
    with pytest.raises(FullError, match=r"the queue is full\n  given: 1 jobs are waiting"):
        queue.add("saliency", {}, limit=1)
    started(queue)
    assert queue.add("saliency", {}, limit=1).id == 2


def test_a_cursor_shows_each_change_once(queue: Queue) -> None:
    queue.add("saliency", {})
    queue.add("saliency", {"seed": 1})
    first = queue.jobs(since=0)
    assert [j.id for j in first] == [1, 2]
    number = started(queue)
    queue.tell(number, os.getpid(), {"fraction": 0.1})
    assert [j.id for j in queue.jobs(since=first[-1].changed)] == [1]
    assert queue.jobs(since=queue.cursor()) == []
    assert [j.id for j in queue.jobs()] == [2, 1]


def test_a_purged_run_takes_its_jobs_and_logs_with_it(queue: Queue) -> None:
    queue.add("saliency", {})
    number = started(queue)
    queue.begin(number, os.getpid(), "abc")
    queue.log(number).parent.mkdir()
    queue.log(number).write_text("said")
    with pytest.raises(BusyError, match="job 1 of this run is not over"):
        queue.forget("saliency", "abc")
    queue.finish(number, os.getpid(), alive.birth(os.getpid()), "done")
    assert queue.latest_of_runs() == {"saliency/abc": 1}
    assert queue.forget("saliency", "abc") == [1]
    assert not queue.log(number).exists()
    # A number is never given to another job.
    assert queue.add("saliency", {}).id == 2


def test_an_ended_job_is_queued_again(queue: Queue) -> None:
    queue.add("saliency", {"seed": 3})
    with pytest.raises(BusyError, match="has not ended"):
        restart(queue, 1)
    queue.cancel(1)
    again = restart(queue, 1)
    assert (again.id, again.restarted_from, again.parameters, again.state) == (2, 1, {"seed": 3}, "queued")


def test_paths_of_a_job_hold_in_every_folder(tmp_path: Path) -> None:
    known = {name: Parameter(name, "str", "") for name in ("data", "model", "out")}
    given, device = order({"data": "lfw:pictures", "model": "x", "out": "elsewhere"}, known, tmp_path)
    assert given == {"data": f"lfw:{tmp_path}/pictures", "model": "x"}
    assert device == "cpu"


@pytest.mark.parametrize(
    ("device", "choices", "there", "expected"),
    [("cuda", (), False, "gpu"), ("cuda:1", ("cuda:1",), False, "gpu"), ("auto", (), True, "gpu"),
     ("auto", (), False, "cpu"), ("auto", ("auto", "cpu"), True, "cpu"), ("cpu", (), True, "cpu")],
)  # fmt: skip
def test_a_gpu_slot_is_taken_where_a_gpu_is_used(
    device: str, choices: tuple[str, ...], there: bool, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "nvidiactl"
    if there:
        mark.touch()
    monkeypatch.setattr("workbench.runs.order._NVIDIA", mark)
    assert slot(device, Parameter("device", "str", "auto", choices=choices)) == expected


def test_a_file_that_is_no_queue_is_left_alone(home: Path) -> None:
    (home / "queue.sqlite").write_bytes(b"something else, longer than a header of SQLite" * 30)
    with pytest.raises(StoreError, match="no database of the workbench"):
        Queue().counts()
    assert (home / "queue.sqlite").read_bytes().startswith(b"something else")


def test_a_queue_of_another_version_is_refused(home: Path) -> None:
    queue = Queue()
    queue._base.execute("pragma user_version=99")
    with pytest.raises(StoreError, match="another version"):
        Queue().counts()


def test_processes_that_open_a_new_queue_at_once_all_can(home: Path) -> None:
    code = "import sys; from workbench.runs.queue import Queue; sys.stdin.read(); print(Queue().add('s', {}).id)"
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    for child in children:
        assert child.stdin
        child.stdin.close()
    numbers = []
    for child in children:
        assert child.stdout
        numbers.append(int(child.stdout.read()))
        assert child.wait() == 0
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_what_runs_is_listed_before_what_has_ended_however_long_the_list(queue: Queue) -> None:
    queue.add("saliency", {"seed": 0})
    running = started(queue)
    for seed in (1, 2, 3):
        queue.cancel(queue.add("saliency", {"seed": seed}).id)
    waiting = queue.add("saliency", {"seed": 4}).id
    assert [job.id for job in queue.jobs(limit=2)] == [waiting, running]
    assert [job.id for job in queue.jobs()] == [waiting, running, 4, 3, 2]
