"""RELIABILITY F3, F4 and F6: killed, failed and contended writers, at every step and for real."""

from __future__ import annotations

import errno
import json
import multiprocessing
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import writers

from workbench import files
from workbench.core import StoreError
from workbench.testing import faults

# Steps of `writers.run`, and one: the first n at which nothing happens any more.
STEPS = 29
FORK = multiprocessing.get_context("fork")


def prepared(folder: Path) -> Path:
    folder.mkdir()
    files.commit_text(folder / "result.json", files.to_json(writers.OLD))
    return folder


def content(home: Path) -> dict[str, bytes]:
    """Everything that lies there but the journal and the lock."""
    found = {p.relative_to(home).as_posix(): p.read_bytes() for p in home.rglob("*") if p.is_file()}
    return {name: data for name, data in found.items() if name not in ("journal", "lock")}


def check_whole(home: Path) -> None:
    """What must hold at any time, also right after a kill."""
    assert files.from_json(files.read_text(home / "result.json")) in (writers.OLD, writers.NEW)
    if (home / "step.npz").exists():
        assert files.unpack(files.read_bytes(home / "step.npz")) == {"x": [1.5, 2.5]}
    if (home / "report").exists():
        assert (home / "report" / "a.html").read_text() == "<p>a</p>"


def test_the_number_of_steps_is_known(tmp_path: Path) -> None:
    home = prepared(tmp_path / "h")
    with faults.record() as steps:
        writers.run(home)
    # A new write that is not announced, or one more, changes this number: then look at both loops below.
    assert len(steps) == STEPS - 1


def test_a_run_killed_at_any_step_is_whole_and_completes(tmp_path: Path) -> None:
    undisturbed = prepared(tmp_path / "undisturbed")
    writers.run(undisturbed)
    for n in range(1, STEPS + 1):
        home = prepared(tmp_path / f"killed-{n}")
        child = FORK.Process(target=writers.run_and_die, args=(str(home), n))
        child.start()
        child.join()
        check_whole(home)
        if child.exitcode == 0:
            break
        assert child.exitcode == -9
        writers.run(home)
        assert content(home) == content(undisturbed)
        events = [json.loads(line)["event"] for line in files.read_text(home / "journal").splitlines()]
        assert events[-1] == "end"
    assert n == STEPS


@pytest.mark.parametrize("persist", [False, True])
def test_a_run_whose_disk_fails_at_any_step_says_so_and_recovers(tmp_path: Path, persist: bool) -> None:
    for n in range(1, STEPS + 1):
        home = prepared(tmp_path / f"failed-{n}")
        error = OSError(errno.ENOSPC, "No space left on device")
        with faults.fail_at(n, error, persist=persist) as seen:
            if n < STEPS:
                with pytest.raises(StoreError, match="No space left on device") as caught:
                    writers.run(home)
                assert str(home) in str(caught.value)
            else:
                writers.run(home)
        check_whole(home)
        if seen[0] < n:
            break
        writers.run(home)
        check_whole(home)
        assert not list(home.rglob(".*partial*"))
    assert n == STEPS


def test_every_commit_is_on_disk_before_it_is_named(tmp_path: Path) -> None:
    home = prepared(tmp_path / "h")
    with faults.record() as steps:
        writers.run(home)
    begin = steps.index(("create", "result.json"))
    kinds = [kind for kind, _ in steps[begin : begin + 6]]
    assert kinds == ["create", "write", "flush", "fsync", "rename", "fsync-folder"]
    for place, (kind, name) in enumerate(steps):
        if kind == "rename":
            assert steps[place - 1][0] in ("fsync", "fsync-folder")
            assert steps[place + 1][0] == "fsync-folder"
        if kind == "append":
            assert steps[place + 1] == ("fsync", name)


def test_a_device_that_is_always_full(tmp_path: Path) -> None:
    (tmp_path / "journal").symlink_to("/dev/full")
    with pytest.raises(StoreError, match=r"No space left on device[\s\S]*6 bytes free"):
        files.append_line(tmp_path / "journal", "hello")


def test_a_limit_on_file_size(tmp_path: Path) -> None:
    path = tmp_path / "a"
    files.commit_text(path, "old")
    said = files.run_limited(writers.commit_of, str(path), 2 << 20, file_size=1 << 20)
    assert "File too large" in said
    assert "2097152 bytes" in said
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_file_system_of_one_megabyte(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    code = (
        "import sys; sys.path[:0] = sys.argv[2].split(':')\n"
        "import writers; p = sys.argv[1] + '/a'; writers.commit_of(p, 3)\n"
        "print(writers.commit_of(p, 4 << 20).splitlines()[1], open(p).read())\n"
        "import os; print(sorted(os.listdir(sys.argv[1])), writers.commit_of(p, 500000))"
    )
    script = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1" "$4"'
    arguments = [str(tmp_path), sys.executable, code, ":".join(p for p in sys.path if p)]
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", script, "-", *arguments], capture_output=True, text=True)
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no private mounts here: {done.stderr.strip()}")
    assert done.stdout.splitlines() == ["  given: No space left on device xxx", "['a'] written"], done.stderr


@pytest.mark.parametrize("name", ["under-a-file/x", "n" * 300, "nul\0"])
def test_a_place_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "under-a-file").write_text("x")
    for write in (files.commit_text, files.append_line):
        with pytest.raises(StoreError, match="could not write"):
            write(tmp_path / name, "x")
        assert [p.name for p in tmp_path.iterdir()] == ["under-a-file"]


@pytest.mark.parametrize("name", ["n" * 250, "\udce9.json", "con", " "])
def test_a_strange_place_that_can_be(tmp_path: Path, name: str) -> None:
    files.commit_text(tmp_path / name, "x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    files.commit_text(tmp_path / "s" / "deep" / "a", "x")
    with faults.record() as steps:
        files.commit_folder(tmp_path / "s", tmp_path / "final")
    assert steps == [
        ("fsync", "a"),
        ("fsync-folder", "s"),
        ("fsync-folder", "deep"),
        ("rename", "final"),
        ("fsync-folder", tmp_path.name),
    ]
    files.commit_text(tmp_path / "s" / "b", "x")
    with pytest.raises(StoreError, match="already there"):
        files.commit_folder(tmp_path / "s", tmp_path / "final")
    assert (tmp_path / "s" / "b").exists()


def test_a_torn_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b'{"event": "on')
    files.append_line(path, '{"event": "two"}')
    files.append_line(path, "three\nlines\udce9")
    assert path.read_bytes() == b'{"event": "on\n{"event": "two"}\nthree\\nlines\\udce9\n'


def test_writers_side_by_side_lose_no_count_and_readers_see_nothing_torn(tmp_path: Path) -> None:
    files.commit_text(tmp_path / "number", "00000000")
    with ThreadPoolExecutor(4) as pool:
        torn = list(pool.map(lambda _: files.run_limited(writers.count_up, str(tmp_path), 12), range(4)))
    assert torn == [0, 0, 0, 0]
    assert files.read_text(tmp_path / "number") == "00000048"


def test_the_lock_of_a_killed_owner_is_free_and_a_live_owner_is_named(tmp_path: Path) -> None:
    path, ready = tmp_path / "run" / "lock", tmp_path / "ready"
    child = FORK.Process(target=writers.hold, args=(str(path), str(ready), 60.0))
    child.start()
    while not ready.exists():
        assert child.is_alive()
    with pytest.raises(StoreError, match=f"run is in use\n  given: held by process {child.pid} on "), files.Lock(path):
        pass
    assert files.owner(path).startswith(f"process {child.pid} on ")
    child.kill()
    child.join()
    assert files.owner(path) == ""
    with files.Lock(path):
        pass


def test_a_lock_whose_folder_was_made_anew_excludes_again(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lock"
    with files.Lock(path):
        files.remove_folder(path.parent)
        with files.Lock(path), pytest.raises(StoreError, match="in use"), files.Lock(path):
            pass


def test_a_lock_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="could not lock"), files.Lock(tmp_path / "file" / "lock"):
        pass
