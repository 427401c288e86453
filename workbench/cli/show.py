"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from .. import files


def print_json(thing: object) -> None:
    """A value as indented strict JSON."""
    print(files.to_json(thing, indent=2))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A titled table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title, title_justify="left")
    for column in columns:
        shown.add_column(column)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)
