"""The transformer in three streams and its adapters, each part against a slow version of the paper's words."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.core import ParameterError, WeightsError
from workbench.methods import multimodal_adapters as exchange
from workbench.methods import multimodal_network as network
from workbench.methods.multimodal_adapters import Bundle, UAdapter
from workbench.methods.multimodal_network import Size, Streams, Trunk

SIZE = Size(32, 8, 16, 3, 2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator(seed))


def randomised(module: nn.Module, seed: int = 0, spread: float = 0.3) -> None:
    """All parameters away from their start, zero ones too."""
    g = generator(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.normal_(0, spread, generator=g)


def trunk(size: Size = SIZE) -> Trunk:
    made = Trunk(size)
    randomised(made)
    return made


def streams(*, adapters: bool = True, begun: bool = False) -> Streams:
    made = Streams(SIZE, adapters=adapters)
    made.begin(trunk().state_dict(), generator(1))
    if not begun:
        randomised(made.adapters, 2)
        # Rows far from flat, so that it shows whose confidence flattens them.
        with torch.no_grad():
            for name, p in made.adapters.named_parameters():
                if ".query." in name or ".key." in name:
                    p.mul_(10)
    return made.eval()


def test_the_trunk_is_torchs_own_encoder_read_from_torchvisions_names() -> None:
    width, heads = SIZE.width, SIZE.heads
    layers = [nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", 1e-6, True, True) for _ in range(3)]
    last, projection = nn.LayerNorm(width, 1e-6), nn.Conv2d(3, width, 8, 8)
    for i, module in enumerate([*layers, last, projection]):
        randomised(module.eval(), i)
    token, position = drawn(1, 1, width, seed=8), drawn(1, SIZE.tokens, width, seed=9)
    names = {"norm1": "ln_1", "norm2": "ln_2", "self_attn": "self_attention", "linear1": "mlp.0", "linear2": "mlp.3"}
    state = {"class_token": token, "encoder.pos_embedding": position, "heads.head.weight": drawn(5, width)}
    state |= {f"conv_proj.{k}": v for k, v in projection.state_dict().items()}
    state |= {f"encoder.ln.{k}": v for k, v in last.state_dict().items()}
    for i, layer in enumerate(layers):
        for name, tensor in layer.state_dict().items():
            head, _, rest = name.partition(".")
            state[f"encoder.layers.encoder_layer_{i}.{names[head]}.{rest}"] = tensor
    x = drawn(2, 3, 32, 32, seed=7)
    p = torch.cat([token.expand(2, -1, -1), projection(x).flatten(2).transpose(1, 2)], 1) + position
    for layer in layers:
        p = layer(p)
    ours = Trunk(SIZE)
    ours.load_state_dict(network.torchvision_trunk(state))
    torch.testing.assert_close(ours(x), last(p)[:, 0], rtol=1e-4, atol=1e-5)
    older = {k.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): v for k, v in state.items()}
    assert network.torchvision_trunk(older).keys() == ours.state_dict().keys()
    with pytest.raises(WeightsError, match=r"torchvision's naming\n  given: layer1\.0\.conv1\.weight"):
        network.torchvision_trunk({"layer1.0.conv1.weight": token})


def test_the_papers_transformer_has_its_tokens_blocks_and_parameters() -> None:
    with torch.device("meta"):
        whole = Trunk(network.VIT_B16)
    assert network.VIT_B16.tokens == 197
    # ViT-B/16 has 86.57 million parameters with its head of 1000 classes.
    assert sum(p.numel() for p in whole.parameters()) == 86_567_656 - 768 * 1000 - 1000


def test_the_uncertainty_is_the_deviation_of_dropout_samples() -> None:
    """Slow: 20 dropout samples of every activation, their unbiased standard deviation, many times over."""
    a = torch.tensor([0.0, 0.3, -0.8, 1.5])
    times = 100_000
    kept = torch.rand((times, 20, 4), generator=generator()) >= 0.3
    slow = torch.exp(-2.25 * (a * kept / 0.7).std(1, correction=1))
    fast = exchange.sampled_confidence(a.expand(times, 4), 20, generator(1))
    assert fast[:, 0].unique().tolist() == [1.0]
    torch.testing.assert_close(fast.mean(0), slow.mean(0), rtol=0, atol=2e-3)
    torch.testing.assert_close(fast.std(0), slow.std(0), rtol=0.05, atol=1e-6)
    # The same distribution at the ends too: of samples that nearly all keep or drop alike.
    for share in (0.01, 0.25, 0.75, 0.99):
        torch.testing.assert_close(fast.quantile(share, 0), slow.quantile(share, 0), rtol=0, atol=0.02)


def test_with_many_samples_the_uncertainty_is_a_function_of_the_activations_size() -> None:
    """Dropout on a fixed activation: std = |a| sqrt(p / (1 - p)) = 0.655 |a|, and 2.25 times that is 1.473 |a|."""
    a = drawn(4000)
    many = exchange.sampled_confidence(a, 2000, generator(1))
    assert math.isclose(2.25 * math.sqrt(0.3 / 0.7), 1.473, abs_tol=1e-3)
    torch.testing.assert_close(many, torch.exp(-1.473 * a.abs()), rtol=0, atol=0.02)
    torch.testing.assert_close(many.mean(), exchange.closed_confidence(a).mean(), rtol=0, atol=1e-3)
    torch.testing.assert_close(exchange.closed_confidence(a), torch.exp(-1.473 * a.abs()), rtol=0, atol=1e-4)


def test_no_gradient_passes_the_uncertainty() -> None:
    a = drawn(5).requires_grad_()
    assert not exchange.sampled_confidence(a, 20, generator()).requires_grad
    assert not exchange.closed_confidence(a).requires_grad


def attended_slowly(adapter: UAdapter, own: Tensor, other: Tensor, trust: Tensor) -> Tensor:
    """One head after the other, the whole table of logits times a table of confidence whose rows are constant."""
    q, k, v = adapter.query(other), adapter.key(own), adapter.value(own)
    out = torch.zeros_like(own)
    for n in range(len(own)):
        table = trust[n][:, None].repeat(1, own.shape[1])
        for head in range(8):
            logits = torch.outer(q[n, :, head], k[n, :, head]) / math.sqrt(1) * table
            out[n, :, head] = torch.softmax(logits, -1) @ v[n, :, head]
    return out


def adapter_slowly(adapter: UAdapter, own: Tensor, other: Tensor, trust: Tensor, grid: int) -> Tensor:
    """The sheet's steps one by one; the central-difference convolution as the difference of two convolutions."""

    def gelu(z: Tensor) -> Tensor:
        return z * torch.sigmoid(1.702 * z)

    def difference(x: Tensor) -> Tensor:
        kernel = adapter.convolution.weight
        whole = kernel.sum(2).sum(2)[:, :, None, None]
        return F.conv2d(x, kernel, padding=1) - 0.5 * F.conv2d(x, whole)

    mine, theirs = gelu(adapter.down_own(own)), gelu(adapter.down_other(other))
    h = adapter.norm(attended_slowly(adapter, mine, theirs, trust) + mine)
    token = difference(h[:, 0][:, :, None, None]).flatten(1)
    rest = torch.stack([difference(one[1:].T.reshape(1, 8, grid, grid))[0].flatten(1).T for one in h])
    return adapter.up(gelu(torch.cat([token[:, None], rest], 1)))


def links(seed: int = 0) -> tuple[list[UAdapter], Tensor, Tensor, Tensor]:
    adapters = [UAdapter(16) for _ in range(4)]
    for i, adapter in enumerate(adapters):
        randomised(adapter, i + seed)
    own, other = drawn(4, 2, 17, 16, seed=11), drawn(4, 2, 17, 16, seed=12)
    return adapters, own, other, torch.rand((4, 2, 17), generator=generator(13))


def test_a_bundle_is_its_adapters_one_by_one() -> None:
    adapters, own, other, trust = links()
    found = Bundle(adapters, 4)(own, other, trust, None)
    for i, adapter in enumerate(adapters):
        slow = adapter_slowly(adapter, own[i], other[i], trust[i], 4)
        torch.testing.assert_close(found[i], slow, rtol=1e-4, atol=1e-5)


def test_an_unreliable_query_looks_everywhere_alike_and_an_unreliable_key_does_not() -> None:
    """U scales rows (queries of the other stream); rows and columns exchanged is another method."""
    adapters, own, other, _ = links()
    bundle, mine, theirs = Bundle(adapters, 4), own[..., :8], 3 * other[..., :8]
    trust = torch.ones(4, 2, 17)
    trust[:, :, 5] = 0.0
    values = torch.stack([a.value(m) for a, m in zip(adapters, mine, strict=True)])
    found, free = bundle.attended(mine, theirs, trust), bundle.attended(mine, theirs, None)
    torch.testing.assert_close(found[:, :, 5], values.mean(2), rtol=1e-4, atol=1e-5)
    others = [i for i in range(17) if i != 5]
    torch.testing.assert_close(found[:, :, others], free[:, :, others], rtol=1e-4, atol=1e-5)
    assert (free[:, :, 5] - values.mean(2)).abs().max() > 0.01


def test_the_spread_of_the_logits_is_that_of_the_written_out_table() -> None:
    adapters, own, other, _ = links()
    found = Bundle(adapters, 4).logit_spread(own, other)
    for i, adapter in enumerate(adapters):
        gelu = exchange.quick_gelu
        q, k = adapter.query(gelu(adapter.down_other(other[i]))), adapter.key(gelu(adapter.down_own(own[i])))
        rows = [torch.outer(q[n, :, h], k[n, :, h]).std(1, correction=0) for n in range(2) for h in range(8)]
        torch.testing.assert_close(found[i], torch.cat(rows).mean(), rtol=1e-4, atol=1e-6)
    x = drawn(2, 3, 3, 32, 32)
    assert streams().logit_spread(x).shape == (3, 4)
    assert streams(adapters=False).logit_spread(x).shape == (0, 4)
    flat = streams()
    with torch.no_grad():
        for group in flat.adapters:
            for link in group.values():
                link.key.weight.zero_()
    assert float(flat.logit_spread(x).detach().abs().max()) == 0


def test_queries_come_from_the_other_stream_keys_and_values_from_the_own_one() -> None:
    adapters, own, other, _ = links()
    bundle, mine, theirs = Bundle(adapters, 4), own[..., :8], other[..., :8]
    one = theirs.clone()
    one[:, :, 3] += 5
    moved = (bundle.attended(mine, one, None) - bundle.attended(mine, theirs, None)).abs().amax((0, 1, 3))
    # Another query changes its own row alone, another value all rows.
    assert moved.nonzero().flatten().tolist() == [3]
    one = mine.clone()
    one[:, :, 3] += 5
    assert (bundle.attended(one, theirs, None) - bundle.attended(mine, theirs, None)).abs().amax((0, 1, 3)).min() > 0


def test_before_training_the_adapters_change_nothing() -> None:
    """Zero-initialised last maps: the network says what three plain streams say, to the bit."""
    plain, adapted = streams(adapters=False), streams(begun=True)
    x = drawn(3, 3, 3, 32, 32, seed=4)
    one, other = plain(x, uncertainty="none"), adapted(x)
    assert torch.equal(one.logits, other.logits)
    assert torch.equal(one.features, other.features)
    assert not torch.equal(streams()(x).logits, other.logits)


def test_three_plain_streams_are_three_trunks() -> None:
    plain, x = streams(adapters=False), drawn(3, 3, 3, 32, 32, seed=4)
    for m in (1, 2, 3):
        alone = trunk()
        with torch.no_grad():
            alone.position.copy_(plain.position[str(m)])
        torch.testing.assert_close(plain(x).features[m - 1], alone(x[:, m - 1]), rtol=1e-4, atol=1e-5)


def test_the_network_is_its_blocks_written_out() -> None:
    net, x = streams(), drawn(2, 3, 3, 32, 32, seed=4)
    p = [torch.cat([net.token[m].expand(2, -1, -1), network.patches(net.projection, x[:, int(m) - 1])], 1)
         + net.position[m] for m in ("1", "2", "3")]  # fmt: skip
    for block, links_ in zip(net.blocks, net.adapters, strict=True):
        attention = [block.self_attention(block.ln_1(q)) for q in p]
        u = [exchange.closed_confidence(a).mean(-1) for a in attention]
        r = [q + a for q, a in zip(p, attention, strict=True)]
        y = [block.ln_2(q) for q in r]
        base = [q + block.mlp["3"](F.gelu(block.mlp["0"](z))) for q, z in zip(r, y, strict=True)]

        def taken(own: int, other: int, y: list[Tensor] = y, u: list[Tensor] = u, links_: nn.Module = links_) -> Tensor:
            return adapter_slowly(links_[f"{own}{other}"], y[own - 1], y[other - 1], u[other - 1], 4)

        p = [base[0] + taken(1, 2) + taken(1, 3), base[1] + taken(2, 1), base[2] + taken(3, 1)]
    tokens = [net.norm(q)[:, 0] for q in p]
    seen = net(x, uncertainty="closed")
    torch.testing.assert_close(seen.logits, net.head(torch.cat(tokens, 1)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(seen.features, torch.stack(tokens), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(seen.trust, torch.stack([v[:, 0].mean() for v in u]), rtol=1e-3, atol=1e-4)


def test_depth_and_infrared_never_exchange_directly() -> None:
    """In one block: other depth leaves the infrared stream as it was, and changes the colour stream."""
    net, x = Streams(Size(32, 8, 16, 1, 2), adapters=True), drawn(2, 3, 3, 32, 32)
    net.begin({k: v for k, v in trunk().state_dict().items() if not k.startswith(("blocks.1", "blocks.2"))},
              generator())  # fmt: skip
    randomised(net.adapters)
    other = x.clone()
    other[:, 1] += 1
    moved = (
        (net.eval()(x, uncertainty="closed").features - net(other, uncertainty="closed").features).abs().amax((1, 2))
    )
    assert moved[0] > 0
    assert moved[1] > 0
    assert moved[2] == 0


def test_what_is_trained_and_what_is_frozen() -> None:
    net = Streams(SIZE, adapters=True)
    last, adapters = ("blocks.2.", "norm.", "head."), "adapters."
    for name, p in net.named_parameters():
        expected = name.startswith((*last, adapters, "token.", "position."))
        assert p.requires_grad == expected, name
    trained = [name for name, p in net.named_parameters() if p.requires_grad]
    assert len([n for n in trained if n.startswith(("token.", "position."))]) == 6
    # Of 3 blocks with 4 adapters: two maps down and one up with biases, three projections, a norm, a convolution.
    assert len([n for n in trained if n.startswith(adapters)]) == 3 * 4 * (6 + 3 + 2 + 1)
    assert not any(p.requires_grad for n, p in net.named_parameters() if n.startswith(("projection", "blocks.0")))


def test_parameters_belong_to_the_stream_that_is_numbered_first() -> None:
    owners = {name: network.modality_of(name) for name, _ in Streams(SIZE, adapters=True).named_parameters()}
    assert {n: m for n, m in owners.items() if n.startswith(("token", "position"))} == {
        f"{what}.{m}": m for what in ("token", "position") for m in (1, 2, 3)
    }
    for link, owner in {"12": 1, "13": 1, "21": 2, "31": 3}.items():
        assert {m for n, m in owners.items() if f".{link}." in n} == {owner}
    assert {m for n, m in owners.items() if n.startswith(("blocks", "norm", "head", "projection"))} == {None}


def test_positions_are_drawn_anew_and_the_class_token_is_kept() -> None:
    net = streams()
    assert all(torch.equal(net.token[m], trunk().token) for m in ("1", "2", "3"))
    spread = torch.cat([net.position[m].flatten() for m in ("1", "2", "3")])
    assert float(spread.std().detach()) == pytest.approx(0.02, rel=0.15)
    assert not torch.equal(net.position["1"], net.position["2"])


def test_a_trunk_of_another_network_is_refused() -> None:
    net = Streams(SIZE, adapters=True)
    with pytest.raises(WeightsError, match=r"not the network's\n  given: 12 tensors differ, 'blocks\.2\."):
        net.begin(trunk(Size(32, 8, 16, 2, 2)).state_dict(), generator())


def test_dropout_is_in_training_alone_and_from_the_networks_own_generator() -> None:
    net, x = streams(), drawn(2, 3, 3, 32, 32)
    said = {}
    for seed in (1, 1, 2):
        net.train().generator.manual_seed(seed)
        said.setdefault(seed, []).append(net(x, uncertainty="none").logits)
    assert torch.equal(*said[1])
    assert not torch.equal(said[1][0], said[2][0])
    assert torch.equal(net.eval()(x, uncertainty="none").logits, net(x, uncertainty="none").logits)
    with pytest.raises(ParameterError, match="sampled, closed or none"):
        net(x, uncertainty="half")
