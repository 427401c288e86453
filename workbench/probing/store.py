"""Every question and answer in one SQLite file: what was answered is not asked again, whatever happens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from .. import files
from ..core import ParameterError, StoreError
from .client import Reply
from .consent import Consent
from .endpoint import Endpoint
from .question import Question, Settings

State = Literal["answered", "refused", "errored"]
_COLUMNS = (
    "key", "state", "text", "error", "task", "version", "framing", "attempt", "name", "model", "host", "dataset",
    "consent", "settings", "pictures", "served_by", "given", "written", "tries", "asked_at", "logprobs", "cut",
)  # fmt: skip
_MADE = f"create table if not exists replies ({', '.join(_COLUMNS)}, primary key (key))"


@dataclass(frozen=True)
class Record:
    """One question and what came of it.

    Attributes:
        key: see `Question.key`.
        state: ``"answered"`` (a text, whatever it says), ``"refused"`` (the server or its filter declined) or
            ``"errored"`` (no reply; it is asked again the next time).
        text: the answer or the refusal, as it came.
        error: why there is none.
        task, version, framing, attempt, name: of the question.
        model, host, dataset, consent: who was asked about what, by whose leave.
        settings, pictures: JSON; digests of the pictures, not the pictures.
        served_by: what the server says that it is, and "without" the settings that it does not have.
        given, written: tokens or None.
        tries: calls made for it, this time.
        asked_at: seconds since 1970.
        logprobs: JSON or "".
        cut: 1 where the answer ended at the limit of tokens.
    """

    key: str
    state: State
    text: str = ""
    error: str = ""
    task: str = ""
    version: str = ""
    framing: str = ""
    attempt: int = 0
    name: str = ""
    model: str = ""
    host: str = ""
    dataset: str = ""
    consent: str = ""
    settings: str = ""
    pictures: str = ""
    served_by: str = ""
    given: int | None = None
    written: int | None = None
    tries: int = 0
    asked_at: float = 0.0
    logprobs: str = ""
    cut: int = 0


def record(
    key: str, question: Question, settings: Settings, endpoint: Endpoint, dataset: str, leave: Sequence[Consent], *,
    reply: Reply | None, error: str, tries: int, at: float,
) -> Record:  # fmt: skip
    """What is kept of a question; neither the server's key nor the pictures are."""
    p = question.prompt
    state: State = "errored" if reply is None else "refused" if reply.declined else "answered"
    return Record(
        key, state, "" if reply is None else reply.text or reply.declined, error, p.task, p.version, p.framing,
        question.attempt, question.name, endpoint.model, endpoint.host, dataset,
        " + ".join(f"{c.host} {c.dataset}" for c in leave) or "loopback", json.dumps(asdict(settings)),
        json.dumps([s.digest for s in question.pictures]),
        "" if reply is None else _served_by(reply),
        None if reply is None else reply.given, None if reply is None else reply.written, tries, at,
        "" if reply is None or reply.logprobs is None else json.dumps(reply.logprobs),
        int(reply is not None and reply.cut),
    )  # fmt: skip


def _served_by(reply: Reply) -> str:
    without = f"without {', '.join(reply.without)}" if reply.without else ""
    return " ".join(filter(None, (reply.model, reply.fingerprint, without)))


class Store:
    """Records by key; each is whole or absent, also after a kill.

    Args:
        path: of the SQLite file; its folder is made.

    Raises:
        StoreError: it cannot be opened, or it is no store.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=normal")
            self._base.execute(_MADE)
            found = [row[1] for row in self._base.execute("pragma table_info(replies)")]
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                "this is not a store of answers, or it cannot be written", given=f"{path}: {error}",
                do="name another file; nothing was changed",
            ) from error  # fmt: skip
        if found != list(_COLUMNS):
            raise StoreError("this store was written by another version", given=", ".join(found),
                             expected=", ".join(_COLUMNS), do="name another file")  # fmt: skip

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def put(self, found: Record) -> None:
        """Keep a record; an answer is never replaced by an error.

        Raises:
            StoreError: it could not be written.
        """
        names = ", ".join(_COLUMNS)
        marks = ", ".join("?" * len(_COLUMNS))
        keep = "" if found.state != "errored" else " where replies.state = 'errored'"
        update = ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[1:])
        try:
            self._base.execute(
                f"insert into replies ({names}) values ({marks}) on conflict (key) do update set {update}{keep}",
                tuple(getattr(found, c) for c in _COLUMNS),
            )
        except sqlite3.Error as error:
            raise StoreError("an answer could not be stored", given=f"{self.path}: {error}",
                             do="make room or name another file; what was stored is whole") from error  # fmt: skip

    def get(self, key: str) -> Record | None:
        """What is kept under a key."""
        row = self._base.execute(f"select {', '.join(_COLUMNS)} from replies where key = ?", (key,)).fetchone()
        return None if row is None else Record(*row)

    def __iter__(self) -> Iterator[Record]:
        for row in self._base.execute(f"select {', '.join(_COLUMNS)} from replies order by asked_at, key"):
            yield Record(*row)

    def __len__(self) -> int:
        return int(self._base.execute("select count(*) from replies").fetchone()[0])


def export(records: Iterable[Record], path: str | Path) -> Path:
    """Write records as ``.jsonl`` or ``.parquet``.

    Raises:
        ParameterError: another ending.
    """
    final, rows = Path(path), [asdict(r) for r in records]
    if final.suffix == ".jsonl":
        return files.commit_text(final, "".join(json.dumps(r, sort_keys=True) + "\n" for r in rows))
    if final.suffix == ".parquet":
        return files.write_columns(final, {c: _column([r[c] for r in rows]) for c in _COLUMNS})
    raise ParameterError("answers are exported as JSON lines or Parquet", given=final.name,
                         expected="a name that ends in .jsonl or .parquet")  # fmt: skip


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    """One column; unknown counts become -1."""
    if any(isinstance(v, str) for v in values) or not values:
        return np.array(values, dtype=np.str_)
    known = [-1 if v is None else v for v in values]
    return np.array(known, dtype=np.float64 if any(isinstance(v, float) for v in known) else np.int64)
