"""Workers of one queue: whatever is killed, each job runs once, ends once, and is marked as what it was."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from workbench import files, runs
from workbench.runs import alive, journal
from workbench.runs import worker as workers
from workbench.runs.queue import Job, Queue
from workbench.runs.worker import Worker, cancel, settle

STUB = Path(__file__).with_name("stub_job.py")
# A worker process of its own, three at once, with stubs for runs.
WORKING = f"""
import sys, time
from workbench.runs.queue import Queue
from workbench.runs.worker import Worker
queue = Queue()
stub = [sys.executable, {str(STUB)!r}]
worker = Worker(queue, {{"cpu": 3}}, command=lambda job, token: [*stub, str(job.id), token, "0.05"])
while queue.active():
    worker.tick()
    time.sleep(0.02)
"""


def stub(rest: float) -> Callable[[Job, str], list[str]]:
    return lambda job, token: [sys.executable, str(STUB), str(job.id), token, str(rest)]


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def working(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKING], env={**os.environ, "WORKBENCH_HOME": str(home)})


def marks(home: Path) -> list[tuple[int, float]]:
    lines = (home / "ran").read_text().splitlines() if (home / "ran").exists() else []
    return [(int(number), float(at)) for number, at, _ in map(str.split, lines)]


def test_fifty_jobs_three_at_once_with_workers_killed_in_the_middle(home: Path) -> None:
    queue = Queue()
    for seed in range(50):
        queue.add("saliency", {"seed": seed})
    first = working(home)
    until(lambda: queue.counts()["done"] >= 10)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert queue.counts()["queued"] > 10
    # Two at once go on with what is left.
    others = [working(home), working(home)]
    assert [other.wait(60) for other in others] == [0, 0]
    assert queue.counts() == {"queued": 0, "running": 0, "done": 50, "failed": 0, "cancelled": 0, "lost": 0}
    ran = Counter(number for number, _ in marks(home))
    assert ran == Counter([*range(1, 51), *range(-50, 0)])
    at_once, most = 0, 0
    for number, _ in sorted(marks(home), key=lambda m: m[1]):
        at_once += 1 if number > 0 else -1
        most = max(most, at_once)
    # On a busy machine a stub may end before the third has started; the next test makes three meet.
    assert most <= 3


def test_three_jobs_run_at_once_and_the_fourth_waits(home: Path) -> None:
    queue = Queue()
    for seed in range(5):
        queue.add("saliency", {"seed": seed})
    worker = Worker(queue, {"cpu": 3}, command=stub(60))
    assert worker.tick() == 3
    until(lambda: len(marks(home)) == 3)
    assert worker.tick() == 0
    assert queue.counts()["queued"] == 2
    os.kill(queue.get(1).pid or 0, signal.SIGKILL)
    until(lambda: worker.tick() == 1)
    until(lambda: len(marks(home)) == 4)
    assert {number for number, _ in marks(home)} == {1, 2, 3, 4}
    assert queue.counts()["queued"] == 1
    for job in queue.active():
        cancel(queue, job.id)
    until(lambda: worker.tick() == 0 and not queue.active())


def test_a_job_outlives_its_worker_and_ends_itself(home: Path) -> None:
    queue = Queue()
    queue.add("saliency", {})
    code = WORKING.replace('"0.05"', '"2"')
    killed = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: queue.get(1).state == "running")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    settle(queue)
    assert queue.get(1).state == "running"
    until(lambda: queue.get(1).over)
    assert queue.get(1).state == "done"


def test_a_killed_job_is_lost_and_one_that_had_committed_is_done(home: Path) -> None:
    queue = Queue()
    for seed in range(2):
        queue.add("saliency", {"seed": seed})
    worker = Worker(queue, {"cpu": 2}, command=stub(60))
    assert worker.tick() == 2
    until(lambda: queue.counts()["running"] == 2)
    committed = home / "runs" / "saliency" / "abc" / "result.json"
    committed.parent.mkdir(parents=True)
    committed.write_text("{}")
    queue.begin(2, queue.get(2).pid or 0, "abc")
    for number in (1, 2):
        os.kill(queue.get(number).pid or 0, signal.SIGKILL)
    until(lambda: worker.tick() == 0 and not queue.active())
    assert [queue.get(n).state for n in (1, 2)] == ["lost", "done"]
    assert "its process was gone" in queue.get(1).reason


def test_another_process_of_the_same_number_is_not_taken_for_the_job(home: Path) -> None:
    queue = Queue()
    queue.add("saliency", {})
    claimed = queue.claim({"cpu": 1})
    assert claimed is not None
    sleeper = subprocess.Popen(["sleep", "60"])
    queue.start(1, claimed[1], sleeper.pid)
    settle(queue)
    assert queue.get(1).state == "running"
    # The table was written before a reboot: the number lives, its birth was another.
    queue._base.execute("update jobs set birth = 'another boot:17' where id = 1")
    settle(queue)
    assert queue.get(1).state == "lost"
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_a_job_of_a_container_that_is_no_more_is_lost_once_nobody_holds_its_run(home: Path) -> None:
    queue = Queue()
    queue.add("saliency", {})
    claimed = queue.claim({"cpu": 1})
    assert claimed is not None
    queue.start(1, claimed[1], os.getpid())
    queue.begin(1, os.getpid(), "abc")
    queue._base.execute("update jobs set host = 'another', started = started - 1000")
    with files.Lock(home / "runs" / "saliency" / "abc" / "lock"):
        settle(queue)
        assert queue.get(1).state == "running"
    settle(queue)
    assert queue.get(1).state == "lost"


def test_a_claim_of_a_dead_worker_is_given_back(home: Path) -> None:
    code = "from workbench.runs.queue import Queue; print(Queue().claim({'cpu': 1})[1])"
    queue = Queue()
    queue.add("saliency", {})
    token = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert queue.claim({"cpu": 1}) is None
    settle(queue)
    again = queue.claim({"cpu": 1})
    assert again is not None
    assert not queue.start(1, token, os.getpid())
    # A claim of one that lives stays, for a while.
    settle(queue)
    assert queue.claim({"cpu": 1}) is None
    queue._base.execute("update jobs set claimed = claimed - 1000")
    settle(queue)
    assert queue.claim({"cpu": 1}) is not None


def test_a_process_that_ends_before_it_starts_makes_the_job_fail(home: Path) -> None:
    queue = Queue()
    queue.add("saliency", {})
    worker = Worker(
        queue, {"cpu": 1}, command=lambda job, token: [sys.executable, "-c", "print('no'); raise SystemExit(9)"]
    )
    until(lambda: worker.tick() == 0 and queue.get(1).over)
    assert (queue.get(1).state, queue.log(1).read_text()) == ("failed", "no\n")
    assert "status 9 before it could start" in queue.get(1).reason
    queue.add("saliency", {})
    Worker(queue, {"cpu": 1}, command=lambda job, token: ["/nowhere/program"]).tick()
    assert "could not be started" in queue.get(2).reason


def test_cancel_ends_a_job_that_refuses_with_all_its_children(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE", 0.5)
    code = (
        "import os, signal, subprocess, sys, time\n"
        "from workbench.runs.queue import Queue\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        # One that lost its parent: only the mark in its environment tells whose it is.
        "subprocess.run(['sh', '-c', 'sleep 301 >/dev/null 2>&1 &'])\n"
        "assert Queue().start(int(sys.argv[1]), sys.argv[2], os.getpid())\n"
        "time.sleep(300)\n"
    )
    queue = Queue()
    queue.add("saliency", {})
    worker = Worker(queue, {"cpu": 1}, command=lambda job, token: [sys.executable, "-c", code, str(job.id), token])
    worker.tick()
    until(lambda: queue.get(1).state == "running")
    mark = queue.get(1).mark
    assert len(alive.marked(mark)) == 3
    assert cancel(queue, 1).state == "running"
    until(lambda: worker.tick() == 0 and queue.get(1).over)
    assert queue.get(1).state == "cancelled"
    until(lambda: not [p for p in alive.marked(mark) if p.status() != psutil.STATUS_ZOMBIE])


def test_a_job_that_was_killed_leaves_no_child_behind(home: Path) -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "from workbench.runs.queue import Queue\n"
        "subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "assert Queue().start(int(sys.argv[1]), sys.argv[2], os.getpid())\n"
        "time.sleep(300)\n"
    )
    queue = Queue()
    queue.add("saliency", {})
    worker = Worker(queue, {"cpu": 1}, command=lambda job, token: [sys.executable, "-c", code, str(job.id), token])
    worker.tick()
    until(lambda: queue.get(1).state == "running")
    mark = queue.get(1).mark
    os.kill(queue.get(1).pid or 0, signal.SIGKILL)
    until(lambda: worker.tick() == 0 and queue.get(1).over)
    assert queue.get(1).state == "lost"
    until(lambda: not [p for p in alive.marked(mark) if p.status() != psutil.STATUS_ZOMBIE])


HANG = """import signal, subprocess, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
p = subprocess.Popen(['sleep', '300'])
print('grandchild', p.pid, flush=True)
while True: time.sleep(0.1)"""


def test_cancel_ends_kernel_and_grandchild_of_a_real_run(home: Path, tiny_study: Callable[..., Path]) -> None:
    tiny_study(HANG)
    queue = Queue()
    queue.add("tiny/thing", {"scale": "smoke"})
    worker = Worker(queue, {"cpu": 1})
    worker.tick()
    until(lambda: worker.tick() == 0 and b"grandchild" in (queue.log(1).read_bytes()))
    until(lambda: queue.get(1).progress.get("cell") == 3)
    job = queue.get(1)
    assert (job.state, job.progress["cells"], job.progress["fraction"]) == ("running", 4, 0.75)
    assert len(alive.marked(job.mark)) >= 4
    cancel(queue, 1)
    until(lambda: worker.tick() == 0 and queue.get(1).over)
    until(lambda: alive.marked(job.mark) == [])
    assert (queue.get(1).state, queue.get(1).run) == ("cancelled", job.run)
    (record,) = runs.history()
    assert (record.slug, record.id, record.status) == ("tiny/thing", job.run, "stopped")


def test_a_run_of_the_queue_is_in_the_history_and_one_that_fails_says_where(
    home: Path, tiny_study: Callable[..., Path]
) -> None:
    tiny_study("print('said by the cell')", "1 / 0")
    queue = Queue()
    queue.add("tiny/thing", {"scale": "smoke"})
    worker = Worker(queue, {"cpu": 1})
    until(lambda: worker.tick() == 0 and queue.get(1).over)
    job = queue.get(1)
    assert (job.state, job.reason) == ("failed", "tiny/thing failed in cell 4")
    assert job.problem is not None
    assert job.problem["given"].startswith("ZeroDivisionError")
    assert "said by the cell" in queue.log(1).read_text()
    (record,) = runs.history()
    assert (record.slug, record.id, record.status) == ("tiny/thing", job.run, "failed")
    assert journal.read(record.folder)[-1]["event"] == "failed"
