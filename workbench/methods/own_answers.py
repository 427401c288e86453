"""What the workbench's own models answer to a probing question, beside what language models say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..probing import Prompt
from ..probing.answers import Answer
from ..probing.responder import Eyes
from ..probing.responder.values import READERS
from ..probing.responder.view import Declined, view


def own_answer(eyes: Eyes, prompt: Prompt, pictures: Sequence[NDArray[np.uint8]]) -> Answer:
    """The values that a prompt asks for, read off the largest face of each picture.

    Args:
        eyes: e.g. `responder_eyes.ModelEyes`.
        prompt: what is asked.
        pictures: in the question's order.

    Returns:
        An answer; where the models cannot say it, "unparsed" with the reason.
    """
    keys = tuple(prompt.kind.schema()["properties"])
    strange = [key for key in keys if key not in READERS]
    if strange:
        return Answer("unparsed", None, f"the workbench has no model for {', '.join(strange)}")
    seen = replace(view(eyes, pictures), asked=keys)
    try:
        return Answer("value", {key: READERS[key](seen) for key in keys}, "; ".join(seen.remarks))
    except Declined as reason:
        return Answer("unparsed", None, reason.what)
