"""An evaluation as a paper's appendix holds it: one page that opens without a network, tables, curves."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from pathlib import Path

from .. import files
from ..core import Estimate, Undefined
from ..methods.evaluation import Evaluation
from .page import NAME, STYLE
from .style import Picture
from .tables import det_columns, number_columns, number_text, plain, reasons, rows
from .verification import det_figure, score_figure

_FIGURES = {"det": (det_figure, "DET curve"), "scores": (score_figure, "Densities of the scores")}


def write_evaluation(folder: str | Path, found: Evaluation) -> Path:
    """Write ``numbers.csv``, ``numbers.json``, ``det.csv``, the figures as SVG and PNG, and last ``report.html``.

    Args:
        folder: made if it is not there; files of these names in it are replaced, each as a whole.
        found: what to write.

    Returns:
        The report's path.

    Raises:
        StoreError: a file could not be written.
    """
    place = Path(folder)
    files.write_columns(place / "numbers.csv", number_columns(found))
    files.commit_text(place / "numbers.json", files.to_json(plain(found), indent=2) + "\n")
    if not isinstance(found.det, Undefined):
        files.write_columns(place / "det.csv", det_columns(found))
    for name, (draw, _) in _FIGURES.items():
        picture = draw(found)
        files.commit_bytes(place / f"{name}.svg", picture.svg())
        files.commit_bytes(place / f"{name}.png", picture.png())
    return files.commit_text(place / NAME, page(found))


def page(found: Evaluation) -> str:
    """The report as HTML, figures inside, in light and in dark."""
    title = html.escape(found.title)
    counts = ", ".join(f"{v:,} {k}" for k, v in found.counts.items()).replace("nonmated", "non-mated")
    notes = "".join(f"<p><strong>{html.escape(n)}</strong></p>" for n in (*found.notes, *reasons(found)))
    figures = "".join(
        f"<figure>{_picture(draw(found), draw(found, dark=True), words)}<figcaption>{words}</figcaption></figure>"
        for draw, words in _FIGURES.values()
    )
    det = "" if isinstance(found.det, Undefined) else f"<p>{html.escape(found.det.rule)}.</p>"
    further = "".join(_further(t, table) for t, table in found.further.items())
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title><style>{STYLE}"
        f"figure {{ margin: 1.5rem 0; }} figcaption {{ font-size: .9rem; }} img {{ background: none; }}</style></head>"
        f"<body><h1>Verification: {title}</h1><p>{html.escape(counts)}</p>{notes}{_numbers(found)}{further}"
        f"{figures}{det}{_facts(found.facts)}</body></html>\n"
    )


def _numbers(found: Evaluation) -> str:
    body = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in (*cells, found.numbers[name].rule))
        + "</tr>"
        for name, *cells in rows(found)
    )
    return _table("Numbers; rates are fractions", ("Measure", "Value", "95 % interval", "Threshold", "Rule"), body)


def _further(title: str, numbers: Mapping[str, Estimate]) -> str:
    body = "".join(
        f"<tr><th scope='row'>{html.escape(n)}</th><td>{html.escape(number_text(e.value))}</td>"
        f"<td>{html.escape(e.rule)}</td></tr>"
        for n, e in numbers.items()
    )
    return _table(title, ("Measure", "Value", "Rule"), body)


def _table(title: str, head: tuple[str, ...], body: str) -> str:
    columns = "".join(f"<th scope='col'>{h}</th>" for h in head)
    return (
        f"<table><caption>{html.escape(title)}</caption><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"
    )


def _facts(facts: Mapping[str, object]) -> str:
    body = "".join(
        f"<tr><th scope='row'>{html.escape(k)}</th><td><pre>"
        f"{html.escape(v if isinstance(v, str) else files.to_json(v, indent=1))}</pre></td></tr>"
        for k, v in facts.items()
    )
    return _table("Where the scores come from", ("Fact", "Value"), body)


def _picture(light: Picture, dark: Picture, words: str) -> str:
    sources = [f"data:image/svg+xml;base64,{base64.b64encode(p.svg()).decode()}" for p in (light, dark)]
    return (
        f"<picture><source media='(prefers-color-scheme: dark)' srcset='{sources[1]}'>"
        f"<img alt='{words}' src='{sources[0]}'></picture>"
    )
