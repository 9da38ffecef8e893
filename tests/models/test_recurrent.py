"""Backpropagation through time by hand equals autograd, and padding in front changes nothing."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from lossviz.datasets import reviews
from lossviz.models import with_ones
from lossviz.models.recurrent import CELLS, RecurrentNetwork

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM}
ROWS, LENGTH, VOCABULARY = 9, 10, 20


class Textbook(nn.Module):
    """The same model of PyTorch's modules; it takes texts padded in front and packs them without their padding."""

    def __init__(self, vocabulary, embedding, units, cell, dtype=torch.float64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0, dtype=dtype)
        self.recurrent = LAYERS[cell](embedding, units, batch_first=True, dtype=dtype)
        self.output = nn.Linear(units, 1, dtype=dtype)

    def forward(self, x):
        tokens = x[:, :-1].long()
        lengths = (tokens > 0).sum(1)
        behind = torch.stack([row.roll(int(length)) for row, length in zip(tokens, lengths, strict=True)])
        packed = pack_padded_sequence(self.embedding(behind), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.recurrent(packed)
        return self.output((last[0] if isinstance(last, tuple) else last)[-1])


def texts(rows=ROWS, length=LENGTH, seed=3):
    """Texts of every number of words from 1 to `length`, each word number from 1 to 19 somewhere."""
    tokens = torch.randint(1, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(seed))
    for row in range(rows):
        tokens[row, : length - 1 - row % length] = 0
    return with_ones(tokens.to(torch.float64))


def pair(cell, how="default", embedding=5, units=4):
    network = RecurrentNetwork(VOCABULARY, embedding, units, cell, torch.float64)
    network.initialise(how, torch.Generator().manual_seed(0))
    module = Textbook(VOCABULARY, embedding, units, cell)
    module.load_state_dict(network.split(network.parameters))
    return network, module


def deltas(rows, seed=1):
    return torch.randn(rows, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("how", ["default", "xavier", "he", "large"])
@pytest.mark.parametrize(("embedding", "units"), [(5, 4), (1, 1), (8, 32)])
@pytest.mark.parametrize("cell", CELLS)
def test_forward_and_backward_equal_autograd_over_packed_texts(cell, embedding, units, how):
    network, module = pair(cell, how, embedding, units)
    space = network.workspace(ROWS)
    for seed in (3, 4):  # the second pass finds the buffers used
        x, delta = texts(seed=seed), deltas(ROWS, seed)
        raw = network.forward(x, space)
        network.backward(x, delta, space)
        expected = module(x)
        expected.backward(delta)
        assert raw.shape == (ROWS, 1)
        assert space.sums[-1] is raw
        torch.testing.assert_close(raw, expected, rtol=1e-12, atol=1e-12)
        slopes = network.split(network.gradient)
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(slopes[name], parameter.grad, rtol=1e-12, atol=1e-12, msg=name)
        assert not slopes["embedding.weight"][0].any()
        module.zero_grad()


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_is_that_of_central_differences(cell):
    network, _ = pair(cell)
    x, target, space = texts(), deltas(ROWS), network.workspace(ROWS)
    network.backward(x, network.forward(x, space) - target, space)  # of the loss sum (raw - target)² / 2
    slopes, step = network.gradient.clone(), 1e-6
    for index in range(network.embedding, len(slopes)):  # the padding's embedding is not learnt
        values = []
        for sign in (1.0, -1.0):
            network.parameters[index] += sign * step
            values.append(float(((network.forward(x, space) - target) ** 2).sum()) / 2.0)
            network.parameters[index] -= sign * step
        assert (values[0] - values[1]) / (2.0 * step) == pytest.approx(float(slopes[index]), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_in_front_changes_nothing(cell):
    network, _ = pair(cell)
    x = texts()
    wider = torch.cat([torch.zeros(ROWS, 7, dtype=x.dtype), x], dim=1)
    space = network.workspace(ROWS)
    found = []
    for padded in (x, wider, x):
        raw = network.forward(padded, space).clone()
        network.backward(padded, deltas(ROWS), space)
        found.append((raw, network.gradient.clone()))
    for raw, gradient in found[1:]:
        torch.testing.assert_close(raw, found[0][0], rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-13, atol=1e-13)
    network.forward(wider, space)
    assert not space.steps.states[:8].any()


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_without_words_gets_the_bias_and_teaches_only_it(cell):
    network, _ = pair(cell)
    x, space = with_ones(torch.zeros(1, LENGTH, dtype=torch.float64)), network.workspace(1)
    assert float(network.forward(x, space)) == float(network.split(network.parameters)["output.bias"])
    network.backward(x, torch.ones(1, 1, dtype=torch.float64), space)
    assert network.gradient[-1] == 1.0
    assert not network.gradient[:-1].any()


@pytest.mark.parametrize("cell", CELLS)
def test_huge_weights_leave_gradients_finite_where_autograds_are(cell):
    network, module = pair(cell)
    network.parameters.mul_(1e30)
    module.load_state_dict(network.split(network.parameters))
    x, space = texts(), network.workspace(ROWS)
    network.forward(x, space)
    network.backward(x, deltas(ROWS), space)
    module(x).backward(deltas(ROWS))
    expected = nn.utils.parameters_to_vector([parameter.grad for parameter in module.parameters()])
    assert torch.isfinite(expected).all()
    torch.testing.assert_close(network.gradient, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", CELLS)
def test_default_parameters_are_those_of_torchs_modules_bit_for_bit(cell, dtype):
    for units in (4, 8, 11):
        network = RecurrentNetwork(VOCABULARY, 5, units, cell, dtype)
        network.initialise("default", torch.Generator().manual_seed(7))
        with torch.random.fork_rng():
            torch.manual_seed(7)
            module = Textbook(VOCABULARY, 5, units, cell, dtype)
        assert list(network.split(network.parameters)) == list(module.state_dict())
        assert torch.equal(network.parameters, nn.utils.parameters_to_vector(module.parameters()))


@pytest.mark.parametrize("cell", CELLS)
def test_other_initialisations_are_what_they_say(cell):
    def drawn(how):
        network = RecurrentNetwork(VOCABULARY, 5, 4, cell, torch.float64)
        network.parameters.fill_(9.0)
        network.initialise(how, torch.Generator().manual_seed(7))
        return network.split(network.parameters)

    fills = {
        "xavier": nn.init.xavier_uniform_,
        "he": lambda weight, generator: nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator),
    }
    usual = drawn("default")
    for how, fill in fills.items():
        parts, generator = drawn(how), torch.Generator().manual_seed(7)
        assert torch.equal(parts["embedding.weight"], usual["embedding.weight"])
        torch.empty(VOCABULARY, 5, dtype=torch.float64).normal_(generator=generator)
        for name in ("recurrent.weight_ih_l0", "recurrent.weight_hh_l0", "output.weight"):
            assert torch.equal(parts[name], fill(torch.empty_like(parts[name]), generator=generator))
        assert not any(part.any() for name, part in parts.items() if "bias" in name)
    large = drawn("large")
    assert all(torch.equal(large[name], 10.0 * usual[name]) for name in usual)
    assert not any(part.any() for part in drawn("zeros").values())


@pytest.mark.parametrize(("cell", "training", "epochs"), [("lstm", 400, 15), ("rnn", 800, 15)])
def test_it_learns_to_read_negation_and_contrast(cell, training, epochs):
    tokens, labels = reviews.generate(training + 400, 0.0, seed=0)
    x, y = with_ones(torch.tensor(tokens, dtype=torch.float32)), torch.tensor(labels, dtype=torch.float32)[:, None]
    generator = torch.Generator().manual_seed(0)
    network = RecurrentNetwork(len(reviews.vocabulary()), 8, 8, cell, torch.float32)
    network.initialise("default", generator)
    leaf = nn.Parameter(network.parameters)
    leaf.grad = network.gradient
    optimizer, space = torch.optim.Adam([leaf], lr=0.01), network.workspace(10)
    for _ in range(epochs):
        for rows in torch.randperm(training, generator=generator).split(10):
            raw = network.forward(x[rows], space)
            network.backward(x[rows], (torch.sigmoid(raw) - y[rows]) / 10.0, space)
            optimizer.step()
    raw = network.forward(x[training:], network.workspace(400))
    assert float(((raw > 0.0) == (y[training:] > 0.5)).float().mean()) > 0.95


def test_bad_arguments_are_refused():
    for arguments, text in [
        ((1, 8, 8, "rnn"), "vocabulary is 1; 2 or more is allowed"),
        ((20, 0, 8, "rnn"), "embedding is 0; 1 or more is allowed"),
        ((20, 8, 0, "lstm"), "units is 0; 1 or more is allowed"),
        ((20, 8, 8, "gru"), "cell is 'gru'; allowed: rnn, lstm"),
    ]:
        with pytest.raises(ValueError, match=text):
            RecurrentNetwork(*arguments, torch.float32)
    network, _ = pair("rnn")
    with pytest.raises(ValueError, match="default, xavier, he, large, zeros"):
        network.initialise("ones", torch.Generator())
    x = texts()
    x[0, -2] = VOCABULARY
    with pytest.raises(IndexError):
        network.forward(x, network.workspace(ROWS))
