"""No picture leaves the machine unless somebody said so, for this server and this data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .. import files
from ..core import ConsentError, DataError
from ..files.home import home
from .endpoint import Endpoint

# In the workbench's folder.
CONSENTS = "consents.txt"


@dataclass(frozen=True)
class Consent:
    """That pictures of a data set may be sent to a server.

    Attributes:
        host: ``host`` or ``host:port``.
        dataset: its name.
    """

    host: str
    dataset: str


def read_consents(path: str | Path) -> tuple[Consent, ...]:
    """Consents of a file, one ``host data-set`` a line; ``#`` begins a remark. The data set's name may hold spaces.

    Raises:
        DataError: a line says something else.
    """
    found = []
    for number, line in enumerate(files.read_text(path).splitlines(), 1):
        words = line.split("#")[0].split(maxsplit=1)
        if not words:
            continue
        if len(words) != 2:
            raise DataError(f"line {number} is no consent", given=line.strip(), expected="host data-set")
        found.append(Consent(words[0], words[1].strip()))
    return tuple(found)


def configured() -> tuple[Consent, ...]:
    """Consents of the user's own configuration, ``consents.txt`` in the workbench's folder; none without that file.

    Raises:
        DataError: as `read_consents`.
    """
    path = home() / CONSENTS
    return read_consents(path) if path.is_file() else ()


def require(endpoint: Endpoint, dataset: str, consents: Iterable[Consent] = ()) -> Consent | None:
    """The consent that lets a data set travel; None where nothing leaves the machine.

    Args:
        endpoint: where to.
        dataset: whose pictures these are.
        consents: besides those that are `configured`.

    Raises:
        ConsentError: there is none.
    """
    if endpoint.loopback:
        return None
    wanted = Consent(endpoint.host, dataset)
    if wanted in (*consents, *configured()):
        return wanted
    raise ConsentError(
        f"nobody has agreed to send pictures of {dataset!r} to {endpoint.host}",
        expected=f"Consent({endpoint.host!r}, {dataset!r})",
        do=f"if the data set's terms and the people shown allow it, give it as consent=, or write the line "
        f"'{endpoint.host} {dataset}' into {CONSENTS} in the workbench's folder, {home()}",
    )
