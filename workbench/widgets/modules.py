"""ES modules joined into one text: anywidget takes a single module, and a relative address leads nowhere from it.

A module may say ``import { a, b as c } from "./other.js";`` on one line, and ``export`` before a function, a class or
a constant at the start of a line. Every imported module becomes a function that runs once and returns its exports, so
that names of two modules never meet. Nothing else is changed, and nothing is minified: what a browser shows is what
lies in `static/`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from .. import files
from ..core import DataError

STATIC = Path(__file__).with_name("static")
_IMPORT = re.compile(r'^import \{([^}]+)\} from "\./([a-z0-9_]+)\.js";$', re.MULTILINE)
_ANY_IMPORT = re.compile(r"^import\b.*$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let)\*? (\w+))", re.MULTILINE)


@cache
def bundle(entry: str, folder: Path = STATIC) -> str:
    """The module ``<entry>.js`` with all that it imports, as one ES module.

    Raises:
        DataError: an import that is not of the form above, a module that is not there, or a circle.
    """
    made: dict[str, str] = {}
    body = _body(entry, folder, made, ())
    return "\n".join([*made.values(), body])


@cache
def styles(front: str, names: tuple[str, ...], folder: Path = STATIC) -> str:
    """The common sheet, and a widget's own, which reach below elements of the class ``fw-of-<front>`` alone.

    A page has the sheets of all widgets on it: without this a name that two of them use would mean both.
    """
    own = "\n".join(files.read_text(folder / f"{name}.css") for name in names)
    return f"{files.read_text(folder / 'bench.css')}\n.fw-of-{front} {{\n{own}\n}}"


def _body(name: str, folder: Path, made: dict[str, str], above: tuple[str, ...]) -> str:
    """A module's text with its imports resolved; what it imports is added to ``made`` first."""
    if name in above:
        raise DataError("modules import each other in a circle", given=" → ".join([*above, name]))
    text = files.read_text(folder / f"{name}.js")
    odd = [line for line in _ANY_IMPORT.findall(text) if not _IMPORT.fullmatch(line)]
    if odd:
        raise DataError(
            f"{name}.js has an import that cannot be joined", given=odd[0], expected='import { a } from "./b.js";'
        )

    def resolved(match: re.Match[str]) -> str:
        names, other = match.groups()
        if other not in made:
            made[other] = _wrapped(other, _body(other, folder, made, (*above, name)))
        return f"const {{{names.replace(' as ', ': ')}}} = $${other};"

    return _IMPORT.sub(resolved, text)


def _wrapped(name: str, body: str) -> str:
    exports = ", ".join(_EXPORT.findall(body))
    return f"const $${name} = (() => {{\n{_EXPORT.sub('', body)}\nreturn {{ {exports} }};\n}})();"
