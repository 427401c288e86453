"""Local models: a tiny LLaVA of random weights, asked over loopback, says what ``model.generate`` says."""

import json
import shutil
import string
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openai
import pytest

from workbench import files, probing
from workbench.cli import main
from workbench.core import DataError, ParameterError, WeightsError
from workbench.methods import local_model
from workbench.probing import responder
from workbench.probing.responder import ChatServer

pytest.importorskip("transformers", reason="local models need transformers")
PICTURE = np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8)
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {% for p in m['content'] %}{% if p['type'] == 'image' %}<image>"
    "{% else %}{{ p['text'] }}{% endif %}{% endfor %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA of two small layers whose words are letters; large random weights let every pixel matter."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    words = {w: i for i, w in enumerate(["<pad>", "<s>", "</s>", "<image>", "<unk>", *string.printable])}
    letters = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    letters.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letters, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        additional_special_tokens=["<image>"],
    )  # fmt: skip
    pixels = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = LlavaProcessor(
        image_processor=pixels, tokenizer=tokenizer, patch_size=8, vision_feature_select_strategy="default",
        chat_template=TEMPLATE, num_additional_image_tokens=1,
    )  # fmt: skip
    eyes = CLIPVisionConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
                            image_size=32, patch_size=8, initializer_range=0.5)  # fmt: skip
    voice = LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                        num_key_value_heads=2, vocab_size=len(words), max_position_embeddings=400, pad_token_id=0,
                        bos_token_id=1, eos_token_id=2, initializer_range=0.5)  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlavaForConditionalGeneration(LlavaConfig(vision_config=eyes, text_config=voice, image_token_index=3))
    folder = tmp_path_factory.mktemp("models") / "tiny-llava"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(built, tmp_path / "tiny-llava"))


@pytest.fixture(scope="module")
def server(built: Path) -> Iterator[ChatServer]:
    model = local_model.LocalModel(built, device="cpu")
    with ChatServer(model, name=model.name) as served:
        yield served


def direct(folder: Path, prompt: str, picture: np.ndarray, most: int) -> tuple[str, list[float]]:
    """What the library says by itself, and the log-probability of every token that is not special."""
    import torch
    from PIL import Image
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model = LlavaForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()
    inputs = processor(text=prompt, images=[Image.fromarray(picture)], return_tensors="pt")
    with torch.no_grad():
        made = model.generate(**inputs, do_sample=False, max_new_tokens=most)
        written = made[0, inputs["input_ids"].shape[1] :]
        # The same log-probabilities another way: one pass over the whole text.
        whole = model(**{**inputs, "input_ids": made, "attention_mask": torch.ones_like(made)}).logits[0]
    at = torch.log_softmax(whole[inputs["input_ids"].shape[1] - 1 : -1].float(), -1)
    sure = [float(row[t]) for row, t in zip(at, written, strict=True) if int(t) > 4]
    return processor.tokenizer.decode(written, skip_special_tokens=True), sure


def test_asked_over_loopback_it_says_what_generate_says(built: Path, server: ChatServer, tmp_path: Path) -> None:
    question = probing.Question(probing.prompt("age"), [probing.shown(PICTURE)])
    settings = probing.Settings(most_tokens=24, logprobs=True)
    there = probing.Endpoint(server.url, "tiny-llava")
    asked = probing.ask_now([question], there, tmp_path / "a.sqlite", dataset="noise", settings=settings)
    (found,) = asked.records
    seen = files.decode_image(question.pictures[0].jpeg)
    expected, sure = direct(built, f"user: <image>{question.prompt.text}\nassistant: ", seen, 24)
    assert found.state == "answered"
    assert found.text == expected != ""
    said = json.loads(found.logprobs)["content"]
    assert "".join(t["token"] for t in said) == expected
    assert [t["logprob"] for t in said] == pytest.approx(sure, abs=1e-4)
    # 16 patches for the picture, a letter for all else.
    assert found.given == 16 + len(f"user: {question.prompt.text}\nassistant: ")
    assert (found.written, found.cut) == (24, 1)
    assert found.served_by.startswith("tiny-llava sha256:")


def test_it_looks_at_the_picture_and_streams_the_same(server: ChatServer) -> None:
    client = openai.OpenAI(base_url=server.url, api_key="none", max_retries=0)
    assert [m.id for m in client.models.list()] == ["tiny-llava"]

    def ask(picture: np.ndarray, **more: object) -> object:
        messages = probing.prompt("age").messages([probing.shown(picture).url])
        return client.chat.completions.create(model="tiny-llava", messages=messages, max_tokens=12, **more)

    one, other = ask(PICTURE), ask(PICTURE[::-1, :, ::-1].copy())
    assert one.choices[0].message.content != other.choices[0].message.content
    assert not hasattr(one.choices[0].message, "note")
    pieces = [e.choices[0].delta.content or "" for e in ask(PICTURE, stream=True) if e.choices]
    assert "".join(pieces) == one.choices[0].message.content
    client.close()


@pytest.mark.parametrize(
    ("body", "words", "status"),
    [
        ({"model": "gpt-4"}, "there is no model 'gpt-4' here; this is 'tiny-llava'", 404),
        ({"temperature": 0.7}, "answers greedily", 400),
        ({"response_format": {"type": "json_object"}}, "cannot hold a model to a form", 400),
        ({"stop": ["."]}, "ends an answer where the model does", 400),
        ({"messages": [{"role": "tool", "content": "x"}, {"role": "user", "content": "x"}]}, "not 'tool'", 400),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a <image> b"}]}]},
            "cannot be asked",
            400,
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a" * 400}]}]}, "has room for 400", 400),
    ],
)
def test_what_it_cannot_do_is_said(server: ChatServer, body: dict[str, object], words: str, status: int) -> None:
    plain = {"model": "tiny-llava", "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]}
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError, match=words) as caught:
            client.post("/chat/completions", cast_to=object, body=plain | body)
        assert caught.value.status_code == status
        assert client.chat.completions.create(**plain, max_tokens=2).usage.completion_tokens <= 2


def test_a_picture_that_is_too_big_is_refused(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "PIXELS", 1999)
    messages = probing.prompt("age").messages([probing.shown(PICTURE).url])
    with (
        openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="'image 1' has too many pixels"),
    ):
        client.chat.completions.create(model="tiny-llava", messages=messages)


def test_the_room_that_is_left_bounds_the_answer(built: Path, server: ChatServer) -> None:
    long = [{"role": "user", "content": "a" * 370}]
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        made = client.chat.completions.create(model="tiny-llava", messages=long, max_tokens=300)
    # "user: ", the letters, a line's end and "assistant: ".
    assert made.usage.prompt_tokens == 388
    assert made.usage.completion_tokens <= 12
    few = local_model.LocalModel(built, device="cpu", most_tokens=3)
    with ChatServer(few, name=few.name) as other, openai.OpenAI(base_url=other.url, api_key="none") as client:
        messages = [{"role": "user", "content": "hello"}]
        made = client.chat.completions.create(model="tiny-llava", messages=messages, max_tokens=300)
    assert made.usage.completion_tokens <= 3


def test_earlier_turns_and_their_pictures_are_part_of_the_question(server: ChatServer) -> None:
    url = probing.shown(PICTURE).url
    shown = {"type": "image_url", "image_url": {"url": url}}
    before = [
        {"role": "user", "content": [shown, {"type": "text", "text": "who"}]},
        {"role": "assistant", "content": "b"},
    ]
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        made = client.chat.completions.create(
            model="tiny-llava", messages=[*before, {"role": "user", "content": [shown]}], max_tokens=1
        )
    assert made.usage.prompt_tokens == 2 * 16 + len("user: who\nassistant: b\nuser: \nassistant: ")


def test_it_is_loaded_at_the_first_question_and_asked_one_at_a_time(
    built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loads, at_work, most, guard = [], 0, 0, threading.Lock()
    load, generate = local_model.LocalModel._load, local_model.LocalModel._generate

    def counted(self: local_model.LocalModel) -> object:
        loads.append(1)
        return load(self)

    def watched(self: local_model.LocalModel, *arguments: object) -> object:
        nonlocal at_work, most
        with guard:
            at_work += 1
            most = max(most, at_work)
        made = generate(self, *arguments)
        with guard:
            at_work -= 1
        return made

    monkeypatch.setattr(local_model.LocalModel, "_load", counted)
    monkeypatch.setattr(local_model.LocalModel, "_generate", watched)
    model = local_model.LocalModel(built, device="cpu")
    assert loads == []
    asked = [probing.Question(probing.prompt("age"), [probing.shown(PICTURE + k)]) for k in range(8)]
    with ChatServer(model, name=model.name) as served:
        found = probing.ask_now(asked, probing.Endpoint(served.url, model.name), tmp_path / "a.sqlite", dataset="noise",
                                settings=probing.Settings(most_tokens=4))  # fmt: skip
    assert found.count("answered") == 8
    assert (len(loads), most) == (1, 1)


def _text_only(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config["text_config"] | {"model_type": "llama"}))


def _edit(name: str, **changes: object) -> object:
    def edit(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda f: (f / "generation_config.json").write_text("[]"), "generation_config.json is not a JSON object"),
        (lambda f: (f / "model.safetensors").unlink(), "has no weights in safetensors"),
        (lambda f: (f / "pytorch_model.bin").write_bytes(b"\x80\x04."), "pytorch_model.bin may run code"),
        (lambda f: (f / "TRAINER.PT").write_bytes(b"PK"), "TRAINER.PT may run code"),
        (lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:9000]),
         "model.safetensors is not a whole safetensors file"),
        (lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}'),
         "names weights that are not in the folder"),
        (_edit("processor_config.json", auto_map={"AutoProcessor": "mine.Processor"}), "asks for code of its own"),
        (_edit("config.json", auto_map={"AutoModel": "mine.Model"}), "asks for code of its own"),
        (_text_only, "no model that looks at pictures"),
    ],
)  # fmt: skip
def test_folders_that_are_refused_before_anything_is_loaded(folder: Path, damage: object, words: str) -> None:
    damage(folder)  # type: ignore[operator]
    with pytest.raises(WeightsError, match=words):
        local_model.LocalModel(folder, device="cpu")


def test_links_out_of_a_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "model.safetensors", tmp_path / "elsewhere.safetensors")
    (folder / "model.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(DataError, match="leads out of its folder"):
        local_model.LocalModel(folder, device="cpu")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_edit("config.json", vision_config={"model_type": "no-such-eyes"}), "cannot load tiny-llava"),
        (lambda f: (f / "tokenizer.json").unlink(), "cannot load tiny-llava"),
        (lambda f: (f / "chat_template.jinja").unlink(), "does not say how to chat"),
    ],
)
def test_what_does_not_load_is_an_errored_question_that_says_so(
    folder: Path, damage: object, words: str, tmp_path: Path
) -> None:
    damage(folder)  # type: ignore[operator]
    model = local_model.LocalModel(folder, device="cpu")
    question = probing.Question(probing.prompt("age"), [probing.shown(PICTURE)])
    with ChatServer(model, name=model.name) as served:
        found = probing.ask_now([question], probing.Endpoint(served.url, model.name), tmp_path / "a.sqlite",
                                dataset="noise")  # fmt: skip
    assert found.records[0].state == "errored"
    assert words in found.records[0].error
    # Asking again would not help, so it is not done.
    assert found.records[0].tries == 1


def test_the_command_serves_a_folder_or_says_what_is_wrong(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[ChatServer] = []
    monkeypatch.setattr(responder, "serve", lambda server, say: served.append(server))
    assert main(["serve-model", str(built), "--port", "0", "--device", "cpu"]) == 0
    assert served[0].title == "tiny-llava on cpu"
    assert main(["serve-model", str(tmp_path / "none")]) == 1
    assert "a model is loaded from a folder on this machine" in capsys.readouterr().err
    with pytest.raises(ParameterError, match="an answer has tokens"):
        local_model.LocalModel(tmp_path, most_tokens=0)
