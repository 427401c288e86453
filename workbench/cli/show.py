"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import files
from ..core import Result


def print_json(thing: object) -> None:
    """A value as indented strict JSON."""
    print(files.to_json(thing, indent=2))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A titled table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=Text(visible(title)), title_justify="left")
    for column in columns:
        shown.add_column(column)
    for row in rows:
        shown.add_row(*(Text(visible(cell)) for cell in row))
    Console().print(shown)


def report(folder: Path, result: Result) -> Path:
    """The report of a run; the tools that write it are loaded only now, when a run was really done."""
    from ..figures.report import write_report

    return write_report(folder, result)


def visible(text: str) -> str:
    """A text without characters that steer a terminal: a reply or a file's name may hold them, shown as escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
