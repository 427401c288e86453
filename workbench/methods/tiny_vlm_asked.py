"""The questions of the tiny model, asked of a larger one behind an endpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import probing
from ..core import RunError
from .asked import NO_REPLY, REFUSAL, VALUE, Chat, Reading, Remote, ask
from .tiny_vlm_words import CLOSED, INVALID, age_group

Codes = NDArray[np.int64]


def question(target: str) -> tuple[probing.Prompt, Reading]:
    """How a target is asked in everyday words, and how an answer becomes a place in `CLOSED`.

    Sex-shape is asked as woman or man, age in years, the others by their closed lists.
    """
    if target == "sex-shape":
        return probing.prompt("gender"), (("place",), lambda v: (float(v["gender"] == "man"),))
    if target == "age":
        return probing.prompt("age"), (("place",), lambda v: (float(age_group(np.array([v["age"]]))[0]),))
    options = CLOSED[target]
    return probing.group(target, options), (("place",), lambda v: (float(options.index(v[target])),))


def about_pictures(
    chat: Chat, target: str, images: NDArray[np.uint8], store: str | Path, *, dataset: str
) -> tuple[Codes, NDArray[np.bool_], tuple[str, ...]]:
    """Places in the closed list (-1 where an answer is invalid), which were refused, and the texts; each asked once.

    Args:
        chat: whom to ask.
        target: one of `CLOSED`.
        images: ``uint8 (n, h, w, 3)``.
        store: file of the answers.
        dataset: whose pictures these are.

    Raises:
        ConsentError: pictures would leave the machine, and nobody agreed.
        RunError: a question has no reply: without it the arms cannot be compared.
    """
    prompt, reading = question(target)
    replies = ask(
        Remote(chat), chat, prompt, [[probing.shown(i)] for i in images], store, dataset=dataset, reading=reading
    )
    state = replies.state
    if (state == NO_REPLY).any():
        lost = int((state == NO_REPLY).sum())
        raise RunError(f"{lost} of {len(state)} questions about {target} have no reply",
                       do="run it again: what was answered is kept")  # fmt: skip
    codes = np.where(state == VALUE, replies.decided[:, 0], INVALID).astype(np.int64)
    return codes, state == REFUSAL, replies.texts[0]
