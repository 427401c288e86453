"""A run as one HTML file that opens without a network."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from latex2mathml.converter import convert as to_mathml

from .. import files, studies
from ..core import Result
from ..core.absent import absent
from ..runs.session import verdict_table
from .page import NAME, STYLE

# A grammar of addresses that jsonschema would load: most of a second, and no notebook's schema asks for it.
with absent("rfc3987_syntax"):
    import nbformat
    from nbconvert import HTMLExporter


def write_report(folder: Path, result: Result) -> Path:
    """Verdicts, numbers and the executed notebook of a run, in ``folder``."""
    notebook = nbformat.reads(files.read_text(folder / "notebook.ipynb"), as_version=4)
    formulas: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _without_formulas(cell.source, formulas)
    exporter = HTMLExporter(template_name="basic", embed_images=True)
    body, _ = exporter.from_notebook_node(notebook)
    for number, formula in enumerate(formulas):
        body = body.replace(_mark(number), formula)
    title = html.escape(f"{result.study} {result.version}")
    paper = html.escape(studies.listing(result.study).title) if result.study in studies.names() else ""
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<style>{STYLE}</style></head><body><h1>{title}</h1><p>{paper}</p>{verdict_table(result)}{_numbers(result)}"
        f"{_facts(result)}<hr>{_without_remote(body)}</body></html>"
    )
    return files.commit_text(folder / NAME, page)


def _numbers(result: Result) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(k)}</th><td>{html.escape(str(v))}</td><td>{html.escape(v.rule)}</td></tr>"
        for k, v in result.numbers.items()
    )
    return f"<details><summary>All numbers</summary><table><tbody>{rows}</tbody></table></details>"


def _facts(result: Result) -> str:
    facts = {"parameters": result.parameters, "environment": result.environment, "seconds by step": result.timings,
             "identity": result.identity, "notes": list(result.notes)}  # fmt: skip
    rows = "".join(
        f"<tr><th scope='row'>{k}</th><td><pre>{html.escape(json.dumps(v, indent=1, default=str))}</pre></td></tr>"
        for k, v in facts.items()
    )
    return f"<details><summary>What ran, where, with what</summary><table><tbody>{rows}</tbody></table></details>"


def _mark(number: int) -> str:
    return f"workbenchformula{number}end"


def _without_formulas(text: str, formulas: list[str]) -> str:
    """Text with a mark for each TeX formula, which is put into ``formulas`` as MathML, drawn without a library.

    The marks wait outside until the page is made: the conversion of Markdown takes MathML apart.
    """

    def take(tex: str, display: str) -> str:
        formulas.append(to_mathml(tex.strip(), display=display))
        return _mark(len(formulas) - 1)

    text = re.sub(r"\$\$(.+?)\$\$", lambda m: take(m[1], "block"), text, flags=re.DOTALL)
    return re.sub(r"\$([^$\n]+?)\$", lambda m: take(m[1], "inline"), text)


def _without_remote(body: str) -> str:
    """No script, and nothing that a browser would fetch."""
    body = re.sub(r"<script\b.*?</script>", "", body, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"\b(src|href)=([\"'])(?!data:|#)(https?:)?//[^\"']*\2", "", body)
