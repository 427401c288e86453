import importlib
import sys
from pathlib import Path

import pytest

from workbench.core import PluginError, Registry, UnknownNameError, parted


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A folder with two things, on the path."""
    folder = tmp_path / "zoo_things"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_private.py").write_text("raise AssertionError('never imported')")
    (folder / "red_fox.py").write_text("import sys; sys.fox_was_imported = True; LEGS = 4")
    (folder / "broken.py").write_text("import a_module_that_is_not_there")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Registry("animal", "zoo_things", "zoo.things")  # type: ignore[misc]
    for name in [n for n in sys.modules if n.startswith("zoo_things")]:
        del sys.modules[name]


def plug_in(tmp_path: Path, name: str, points: str) -> None:
    """An installed distribution, as far as its metadata go."""
    info = tmp_path / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(points)
    importlib.invalidate_caches()


def test_the_folder_is_the_registry_and_listing_imports_nothing(registry: Registry) -> None:
    assert list(registry.entries()) == ["broken", "red-fox"]
    assert not hasattr(sys, "fox_was_imported")
    assert registry.load("red-fox").LEGS == 4


def test_a_broken_module_stays_listed_with_its_error(registry: Registry) -> None:
    failures = registry.failures()
    assert list(failures) == ["broken"]
    assert "a_module_that_is_not_there" in failures["broken"]


def test_unknown_names_get_the_near_ones(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'red-fox'"):
        registry.load("red-fix")


def test_outside_names_carry_their_package(registry: Registry, tmp_path: Path) -> None:
    plug_in(tmp_path, "farm", "[zoo.things]\ncow = zoo_things.red_fox:LEGS\n")
    assert list(registry.entries()) == ["broken", "farm/cow", "red-fox"]
    assert registry.load("farm/cow") == 4


def test_a_clash_is_an_error(registry: Registry, tmp_path: Path) -> None:
    plug_in(tmp_path, "farm", "[zoo.things]\ncow = zoo_things.red_fox:LEGS\ncow = zoo_things.red_fox:TAIL\n")
    with pytest.raises(PluginError, match="two plug-ins claim the animal 'farm/cow'"):
        registry.entries()


@pytest.mark.parametrize(
    ("specs", "found"),
    [
        ("lfw:a", ["lfw:a"]),
        ("lfw:a;lfw:b", ["lfw:a", "lfw:b"]),
        ("lfw:a; phantom", ["lfw:a", "phantom"]),
        # A semicolon in a path, and a name that is none of ours.
        ("lfw:a;b", ["lfw:a;b"]),
        ("lfw:a;other:b;lfw:c;d", ["lfw:a;other:b", "lfw:c;d"]),
        ("phantom", ["phantom"]),
        ("", []),
    ],
)
def test_specifications_stand_side_by_side(specs: str, found: list[str]) -> None:
    assert parted(specs, lambda: ["lfw", "phantom"]) == found


def test_names_are_looked_up_only_where_a_semicolon_asks() -> None:
    asked: list[bool] = []

    def known() -> list[str]:
        asked.append(True)
        return ["lfw"]

    assert parted("lfw:ONE", known) == ["lfw:ONE"]
    assert asked == []
    assert parted("lfw:ONE;lfw:OTHER", known) == ["lfw:ONE", "lfw:OTHER"]
    assert asked == [True]
