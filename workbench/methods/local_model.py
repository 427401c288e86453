"""A vision-language model of the user's, from a folder on this machine, behind the OpenAI protocol.

``transformers`` reads the folder after `files.check_model_folder` has: no hub, no code of the folder's own, no pickles,
and no torchvision, which its PIL processors do without. Answers are greedy: a temperature above 0 is refused, as it
would need the global generator.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import files
from ..core import ParameterError, WeightsError
from ..models.devices import resolve
from ..probing.responder import BadRequest, Reply, Request, decoded

# Of one request together; a processor may cut a large picture into dozens of tiles, each of hundreds of tokens.
PIXELS = 16_000_000
_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class _Loaded:
    processor: Any
    model: Any
    device: str
    digest: str


class LocalModel:
    """Answers chat requests with a local model, loaded at the first one; one answer at a time.

    Args:
        folder: as ``save_pretrained`` writes it, with weights in safetensors.
        device: see `models.devices.resolve`.
        most_tokens: of an answer, whatever the client asks for.

    Raises:
        ParameterError: ``transformers`` is not installed, or ``most_tokens`` is not positive.
        WeightsError: the folder is broken, holds code or pickles, or its model does not look at pictures.
        DeviceError: there is no such device.
    """

    def __init__(self, folder: str | Path, *, device: str = "auto", most_tokens: int = 1024) -> None:
        if most_tokens < 1:
            raise ParameterError("an answer has tokens", given=most_tokens, expected="1 or more")
        self.folder = files.check_model_folder(folder)
        self.name = self.folder.path.resolve().name
        self.device = resolve(device)
        self.most_tokens = most_tokens
        self._library = _transformers()
        _check_sees(self.folder, self._library)
        self._lock = threading.Lock()
        self._have: _Loaded | WeightsError | None = None

    def answer(self, request: Request) -> Reply:
        """The model's reply.

        Raises:
            BadRequest: it asks for what this model cannot do, or the model does not load.
        """
        self._refuse(request)
        pictures = decoded([p for turn in request.turns for p in turn.images], pixels=PIXELS)
        with self._lock:
            try:
                loaded = self._loaded()
            except WeightsError as error:
                # Not a server's error: asking again would not help.
                raise BadRequest(str(error), status=404, code="model_not_loaded") from None
            return self._generate(loaded, request, pictures)

    def _refuse(self, request: Request) -> None:
        if request.model != self.name:
            raise BadRequest(
                f"there is no model {request.model[:80]!r} here; this is {self.name!r}", status=404, param="model",
                code="model_not_found",
            )  # fmt: skip
        if request.temperature:
            raise BadRequest("this model answers greedily: temperature must be 0", param="temperature")
        if request.as_json:
            raise BadRequest(
                "this server cannot hold a model to a form; ask without response_format", param="response_format"
            )
        if request.stops:
            raise BadRequest("this server ends an answer where the model does, not at a text", param="stop")
        if strange := [t.role for t in request.turns if t.role not in _ROLES]:
            raise BadRequest(f"a message's role must be {', '.join(_ROLES)}, not {strange[0][:40]!r}", param="messages")

    def _loaded(self) -> _Loaded:
        if self._have is None:
            try:
                self._have = self._load()
            except WeightsError as error:
                self._have = error
        if isinstance(self._have, WeightsError):
            raise self._have
        return self._have

    def _load(self) -> _Loaded:
        path = str(self.folder.path.resolve())
        how = {"local_files_only": True, "trust_remote_code": False}
        try:
            processor = self._library.AutoProcessor.from_pretrained(path, **how)
            model = self._library.AutoModelForImageTextToText.from_pretrained(path, use_safetensors=True, **how)
        except Exception as error:
            # Of any kind: every architecture has its own ways to reject a folder.
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise WeightsError(
                f"transformers cannot load {self.name}", given=f"{type(error).__name__}: {words[0][:300]}",
                do="check that the folder is whole, and that this version of transformers knows the model",
            ) from error  # fmt: skip
        if not getattr(processor, "chat_template", None) or getattr(processor, "image_processor", None) is None:
            raise WeightsError(f"{self.name} does not say how to chat about pictures",
                               given=type(processor).__name__, expected="a processor with a chat template")  # fmt: skip
        paths = [self.folder.path / n for n in ("config.json", *self.folder.weights)]
        digest = files.digest_tree(paths, self.folder.path)
        return _Loaded(processor, model.to(self.device).eval(), self.device, digest)

    def _generate(self, loaded: _Loaded, request: Request, pictures: Sequence[NDArray[np.uint8]]) -> Reply:
        import torch

        inputs = _inputs(loaded, request, pictures)
        given = int(inputs["input_ids"].shape[1])
        most = min(self.most_tokens, request.most_tokens or self.most_tokens, _room(loaded.model, given))
        with torch.inference_mode():
            made = loaded.model.generate(
                **inputs, do_sample=False, num_beams=1, max_new_tokens=most, return_dict_in_generate=True,
                output_logits=request.logprobs,
            )  # fmt: skip
        written = made.sequences[0, given:]
        tokenizer = loaded.processor.tokenizer
        ended = int(written[-1]) in _ends(loaded.model)
        return Reply(
            tokenizer.decode(written, skip_special_tokens=True), note="", finish="stop" if ended else "length",
            prompt_tokens=given, completion_tokens=len(written), model=self.name,
            fingerprint=f"sha256:{loaded.digest}",
            logprobs=_logprobs(tokenizer, written, made.logits) if request.logprobs else None,
        )  # fmt: skip


def _transformers() -> Any:
    # Read once, when the hub's library is first imported; `local_files_only` says the same at every call.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        import transformers
    except ImportError as error:
        raise ParameterError(
            "local models need transformers", given=str(error), do="pip install 'face-workbench[local]'"
        ) from None
    return transformers


def _check_sees(folder: files.ModelFolder, library: Any) -> None:
    from importlib import import_module

    auto = import_module(f"{library.__name__}.models.auto.modeling_auto")
    known: Mapping[str, str] = auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    kind = folder.config.get("model_type")
    if kind not in known:
        raise WeightsError(
            f"{folder.path.name} is no model that looks at pictures and answers in words",
            given=f"model_type {kind!r}", expected="a vision-language model, e.g. llava, idefics3, smolvlm, qwen2_vl",
        )  # fmt: skip


def _inputs(loaded: _Loaded, request: Request, pictures: Sequence[NDArray[np.uint8]]) -> Any:
    """A conversation as the model's own tensors.

    Raises:
        BadRequest: the model's template or processor does not take it.
    """
    from jinja2.exceptions import TemplateError
    from PIL.Image import fromarray

    parts = [[{"type": "text", "text": p} if isinstance(p, str) else {"type": "image"} for p in turn.parts]
             for turn in request.turns]  # fmt: skip
    conversation = [{"role": t.role, "content": p} for t, p in zip(request.turns, parts, strict=True)]
    try:
        prompt = loaded.processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
        # As images, since of an array of three rows nobody can tell rows from colours.
        shown = [fromarray(p) for p in pictures] or None
        return loaded.processor(text=prompt, images=shown, return_tensors="pt").to(loaded.device)
    except (TemplateError, ValueError, TypeError, LookupError) as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise BadRequest(f"the model cannot be asked this: {words[0][:300]}", param="messages") from None


def _room(model: Any, given: int) -> int:
    """Tokens that are left for the answer.

    Raises:
        BadRequest: none.
    """
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if longest is None:
        return 1 << 30
    if given >= longest:
        raise BadRequest(
            f"the question and its pictures take {given} tokens, and the model has room for {longest}; "
            "send fewer or smaller pictures", param="messages", code="context_length_exceeded",
        )  # fmt: skip
    return int(longest) - given


def _ends(model: Any) -> set[int]:
    ends = model.generation_config.eos_token_id
    return set() if ends is None else {ends} if isinstance(ends, int) else set(ends)


def _logprobs(tokenizer: Any, written: Any, logits: Any) -> tuple[tuple[str, float], ...]:
    """The model's own log-probability of every token that is part of the text."""
    import torch

    special = set(tokenizer.all_special_ids)
    steps = [(int(token), torch.log_softmax(step[0].float(), -1)) for token, step in zip(written, logits, strict=True)]
    return tuple((tokenizer.decode([token]), float(of[token])) for token, of in steps if token not in special)
