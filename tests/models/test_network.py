"""The chain rule by hand equals autograd, and the default initial weights are nn.Linear's own."""

import pytest
import torch
from torch import nn

from lossviz.models import ACTIVATIONS, LINKS, Network, with_ones

MODULES = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
}
SHAPES = [(3, 1), (2, 4, 2, 1), (5, 3, 3), (1, 7, 6, 5, 4, 3, 2, 1), (4, 64, 3)]


def random_network(sizes, activation):
    network = Network(sizes, activation, torch.float64)
    network.initialise("default", torch.Generator().manual_seed(0))
    return network


def module_of(network):
    layers = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=network.dtype)
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
        layers += [linear, MODULES[network.activation.key]()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", SHAPES)
def test_forward_and_backward_equal_autograd(sizes, activation):
    network = random_network(sizes, activation)
    module = module_of(network)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(9, sizes[0], dtype=torch.float64, generator=generator)
    delta = torch.randn(9, sizes[-1], dtype=torch.float64, generator=generator)
    space = network.workspace(9)
    raw = network.forward(with_ones(x), space)
    network.backward(with_ones(x), delta, space)
    expected = module(x)
    expected.backward(delta)
    torch.testing.assert_close(raw, expected, rtol=1e-12, atol=1e-12)
    linears = [layer for layer in module if isinstance(layer, nn.Linear)]
    for block, linear in zip(network.gradient_blocks, linears, strict=True):
        torch.testing.assert_close(block[:, :-1], linear.weight.grad, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(block[:, -1], linear.bias.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("link", LINKS)
def test_links_and_their_slopes_equal_autograd(link):
    link = LINKS[link]
    generator = torch.Generator().manual_seed(2)
    z = 3.0 * torch.randn(8, 3, dtype=torch.float64, generator=generator)
    delta = torch.randn(8, 3, dtype=torch.float64, generator=generator)
    prediction = torch.empty_like(z)
    link.forward(z, prediction)
    leaf = z.clone().requires_grad_()
    expected = link.function(leaf)
    (slope,) = torch.autograd.grad(expected, leaf, delta)
    torch.testing.assert_close(prediction, expected.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(link.backward(delta.clone(), prediction), slope, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_default_weights_are_those_of_nn_linear_bit_for_bit(dtype):
    network = Network((3, 5, 2), "tanh", dtype)
    network.initialise("default", torch.Generator().manual_seed(7))
    with torch.random.fork_rng():
        torch.manual_seed(7)
        linears = [nn.Linear(3, 5, dtype=dtype), nn.Linear(5, 2, dtype=dtype)]
    for weight, bias, linear in zip(network.weights, network.biases, linears, strict=True):
        assert torch.equal(weight, linear.weight)
        assert torch.equal(bias, linear.bias)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("how", "fill"),
    [
        ("xavier", nn.init.xavier_uniform_),
        ("he", lambda weight, generator: nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)),
    ],
)
def test_xavier_and_he_weights_are_those_of_torch_bit_for_bit(how, fill, dtype):
    network = Network((3, 5, 2), "tanh", dtype)
    network.initialise(how, torch.Generator().manual_seed(7))
    generator = torch.Generator().manual_seed(7)
    for weight, bias in zip(network.weights, network.biases, strict=True):
        assert torch.equal(weight, fill(torch.empty(weight.shape, dtype=dtype), generator=generator))
        assert not bias.any()


def test_large_weights_are_ten_times_the_default():
    usual, large = (Network((3, 5, 2), "tanh", torch.float64) for _ in range(2))
    usual.initialise("default", torch.Generator().manual_seed(7))
    large.initialise("large", torch.Generator().manual_seed(7))
    assert torch.equal(large.parameters, 10.0 * usual.parameters)


def test_zeros_and_bad_arguments():
    network = random_network((2, 3, 1), "tanh")
    network.initialise("zeros", torch.Generator())
    assert not network.parameters.any()
    with pytest.raises(ValueError, match="default, xavier, he, large, zeros"):
        network.initialise("ones", torch.Generator())
    with pytest.raises(ValueError, match="two or more sizes"):
        Network((2,), "tanh", torch.float32)
    with pytest.raises(ValueError, match="tanh, relu, leaky_relu"):
        Network((2, 1), "swish", torch.float32)
