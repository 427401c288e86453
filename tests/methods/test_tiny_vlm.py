"""The tiny vision-language model: who sees whom, what is trained, and what LoRA may change."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.core import ShapeError
from workbench.methods import tiny_vlm as vlm
from workbench.methods.tiny_vlm_training import classifier, finetune, pretrain
from workbench.methods.tiny_vlm_words import END, PAD, START, encode


@pytest.fixture(scope="module")
def network() -> vlm.TinyVLM:
    return vlm.fresh(0).eval()


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 16, 24, 3)).astype(np.uint8)


def asked(*texts: str) -> torch.Tensor:
    return torch.from_numpy(encode(texts, vlm.QUESTION))


def answered(*texts: str) -> torch.Tensor:
    return torch.from_numpy(encode(texts, vlm.SUFFIX, end=True))


def test_the_loss_is_on_the_answers_words_alone(network: vlm.TinyVLM, pictures: np.ndarray) -> None:
    cut, places = vlm.patches(vlm.prepare(pictures[:1]))
    question, answer = asked("what is the age of the person in the image"), answered("very light")
    logits = network(network.image_tokens(cut, places), question, vlm.shifted(answer)).detach().requires_grad_()
    wanted = vlm.labels(cut.shape[1], question, answer)
    vlm.suffix_loss(logits, wanted).backward()
    touched = logits.grad.abs().sum(2)[0] > 0
    prefix = cut.shape[1] + vlm.QUESTION
    assert touched.nonzero()[:, 0].tolist() == [prefix, prefix + 1, prefix + 2]
    by_hand = -torch.stack([logits[0, prefix + i].log_softmax(0)[answer[0, i]] for i in range(3)]).mean()
    assert vlm.suffix_loss(logits, wanted).item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_a_shuffled_questions_own_words_are_no_targets(network: vlm.TinyVLM, pictures: np.ndarray) -> None:
    cut, places = vlm.patches(vlm.prepare(pictures[:1]))
    answer = answered("happy")
    question = asked("what is the age of the person in the image")
    shuffled = question[:, torch.randperm(vlm.QUESTION, generator=torch.Generator().manual_seed(1))]
    logits = network(network.image_tokens(cut, places), question, vlm.shifted(answer))
    losses = [vlm.suffix_loss(logits, vlm.labels(cut.shape[1], q, answer)).item() for q in (question, shuffled)]
    assert losses[0] == losses[1]


def test_the_order_of_image_tokens_does_not_matter_when_they_keep_their_places(
    network: vlm.TinyVLM, pictures: np.ndarray
) -> None:
    cut, places = vlm.patches(vlm.prepare(pictures))
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(0))
    question, said = asked(*["what is the age of the person in the image"] * 6), torch.full((6, 1), START)
    with torch.inference_mode():
        plain = network(network.image_tokens(cut, places), question, said)[:, -1]
        moved = network(network.image_tokens(cut[:, order], places[order]), question, said)[:, -1]
        misplaced = network(network.image_tokens(cut[:, order], places), question, said)[:, -1]
    assert torch.allclose(plain, moved, atol=1e-4)
    assert not torch.allclose(plain, misplaced, atol=1e-2)


def test_the_prefix_sees_all_of_itself_and_the_answer_its_past() -> None:
    question = torch.tensor([[5, 6, PAD]])
    mask = vlm.prefix_mask(2, question, torch.tensor([[START, 7]]))[0, 0]
    # Columns: two image tokens, two words, padding, start, one word of the answer.
    prefix = [True, True, True, True, False, False, False]
    assert mask[:4].tolist() == [prefix] * 4
    assert mask[5].tolist() == [True, True, True, True, False, True, False]
    assert mask[6].tolist() == [True, True, True, True, False, True, True]


def test_padding_behind_a_question_changes_nothing(network: vlm.TinyVLM, pictures: np.ndarray) -> None:
    image = network.image_tokens(*vlm.patches(vlm.prepare(pictures[:1])))
    question = asked("is there a mask")
    said = torch.full((1, 1), START)
    short, long = (network(image, q, said)[:, -1] for q in (question[:, :4], question))
    assert torch.allclose(short, long, atol=1e-5)


def test_a_later_word_of_the_answer_is_not_seen_by_an_earlier_one(network: vlm.TinyVLM, pictures: np.ndarray) -> None:
    image = network.image_tokens(*vlm.patches(vlm.prepare(pictures[:1])))
    one, other = (network(image, asked("is there a mask"), torch.tensor([[START, 7, w]])) for w in (8, 9))
    assert torch.allclose(one[:, :-1], other[:, :-1], atol=1e-6)


def test_greedy_decoding_says_nothing_after_the_end_and_always_stops(
    network: vlm.TinyVLM, pictures: np.ndarray
) -> None:
    image = network.image_tokens(*vlm.patches(vlm.prepare(pictures)))
    said = vlm.greedy(network, image, asked(*["describe the image"] * 6), most=5)
    assert said.shape[1] <= 5
    for row in said.tolist():
        if END in row:
            assert set(row[row.index(END) + 1 :]) <= {PAD}


def test_pictures_that_are_no_whole_patches_are_refused() -> None:
    with pytest.raises(ShapeError, match="multiples of 8"):
        vlm.patches(torch.zeros(1, 3, 20, 24))


def learnt(pictures: np.ndarray) -> tuple[list[str], list[str]]:
    words = ["happy", "sad", "very light", "light", "yes", "no"]
    return ["describe the image"] * 6, words


def test_training_learns_six_pictures_by_heart_and_is_the_same_again(pictures: np.ndarray) -> None:
    questions, words = learnt(pictures)
    lessons = lambda epoch: (np.arange(6), questions, words)  # noqa: E731
    models = [pretrain(pictures, lessons, epochs=60, seed=0) for _ in range(2)]
    assert models[0].ask(pictures, questions) == words
    assert models[0].losses == models[1].losses


def test_lora_starts_as_the_model_was_and_moves_the_decoder_alone(pictures: np.ndarray) -> None:
    questions, words = learnt(pictures)
    lessons = lambda epoch: (np.arange(6), questions, words)  # noqa: E731
    start = pretrain(pictures, lessons, epochs=1, seed=0)
    network = start.network()
    image, said = network.image_tokens(*vlm.patches(vlm.prepare(pictures))), torch.full((6, 1), START)
    before = network(image, asked(*questions), said)
    left = vlm.adapt(network, torch.Generator().manual_seed(0))
    assert torch.equal(network(image, asked(*questions), said), before)
    assert all(min(p.shape) == vlm.RANK for p in left)
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == sum(p.numel() for p in left)
    tuned = finetune(start, pictures, lessons, epochs=3, low_rank=True, seed=0, name="x")
    changed = {k for k, v in tuned.state.items() if not np.array_equal(v, start.state.get(k.replace(".frozen", "")))}
    assert changed
    assert all(k.endswith((".down", ".up")) and k.startswith("decoder.") for k in changed)
    assert tuned.ask(pictures, questions) != []


def test_fine_tuning_all_weights_moves_the_encoder_too(pictures: np.ndarray) -> None:
    questions, words = learnt(pictures)
    lessons = lambda epoch: (np.arange(6), questions, words)  # noqa: E731
    start = pretrain(pictures, lessons, epochs=1, seed=0)
    tuned = finetune(start, pictures, lessons, epochs=2, low_rank=False, seed=0, name="x")
    assert not np.array_equal(tuned.state["patch.weight"], start.state["patch.weight"])


def test_the_baseline_tells_two_colours_apart() -> None:
    target = np.arange(64) % 2
    images = np.full((64, 64, 64, 3), 60, np.uint8) + (120 * target).astype(np.uint8)[:, None, None, None]
    trained = classifier(images, target, 2, epochs=10, seed=0, name="x")
    assert (trained.predict(images) == target).mean() == 1
