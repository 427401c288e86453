import errno
import json
import multiprocessing
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench import files
from workbench.core import DataError, Estimate, ShapeError, StoreError, Undefined, Verdict
from workbench.testing import faults


def test_writing_goes_in_the_safe_order(tmp_path: Path) -> None:
    with faults.record() as steps:
        files.commit_text(tmp_path / "a", "x")
    assert [kind for kind, _ in steps] == ["create", "write", "flush", "fsync", "rename", "fsync-folder"]


@pytest.mark.parametrize("persist", [False, True])
def test_a_failing_disk_leaves_the_old_file_whole(tmp_path: Path, persist: bool) -> None:
    path = tmp_path / "a"
    for n in range(1, 20):
        files.commit_text(path, "old")
        with faults.fail_at(n, OSError(errno.ENOSPC, "No space left on device"), persist=persist) as seen:
            if n < 7:
                with pytest.raises(StoreError, match=r"No space left[\s\S]*3 bytes"):
                    files.commit_text(path, "new")
            else:
                files.commit_text(path, "new")
        if seen[0] < n:
            break
        assert path.read_text() in ("old", "new")
        assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert n == 7


def _write_and_die(path: str, n: int) -> None:
    with faults.die_at(n):
        files.commit_text(path, "new")


def test_a_killed_writer_leaves_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for n in range(1, 7):
        files.commit_text(path, "old")
        child = multiprocessing.get_context("fork").Process(target=_write_and_die, args=(str(path), n))
        child.start()
        child.join()
        assert child.exitcode == -9
        assert path.read_text() in ("old", "new")
        files.sweep(tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_lock_names_its_owner_and_dies_with_it(tmp_path: Path) -> None:
    with files.Lock(tmp_path / "run" / "lock"):
        with pytest.raises(StoreError, match="held by process"), files.Lock(tmp_path / "run" / "lock"):
            pass
        assert "process" in files.owner(tmp_path / "run" / "lock")
    assert files.owner(tmp_path / "run" / "lock") == ""


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "~root/x", "a/../../x", "nul\0", "link/x", "x" * 5000])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    with pytest.raises(DataError, match="leads out"):
        files.inside(tmp_path / "in", name)
    assert files.inside(tmp_path / "in", "a/b.jpg") == tmp_path / "in" / "a" / "b.jpg"


def test_json_is_strict_and_carries_undefined() -> None:
    verdict = Verdict(
        "C1", "a", "undecided", Estimate(Undefined("no faces", {"n": 0})), "r", (Verdict("x", "y", "refuted"),)
    )
    text = files.to_json({"v": verdict})
    assert files.from_json(text) == {"v": verdict}
    with pytest.raises(ShapeError, match=r"nan cannot be stored\n  given: at \$\.a\[1\]"):
        files.to_json({"a": [0.0, float("nan")]})
    with pytest.raises(StoreError):
        files.from_json('{"a": NaN}')
    node = shutil.which("node")
    if node:
        script = "console.log(JSON.parse(require('fs').readFileSync(0)).v.effect.value.reason)"
        done = subprocess.run([node, "-e", script], input=text, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "no faces"
    assert json.loads(text)["v"]["$"] == "Verdict"


def _greedy() -> int:
    return len(bytearray(1 << 31))


def test_a_limited_child_cannot_take_more() -> None:
    from workbench.core import RunError

    with pytest.raises(RunError, match="out of memory"):
        files.run_limited(_greedy, memory=1 << 30)
    assert files.run_limited(abs, -3) == 3
