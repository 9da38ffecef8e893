"""An embedding, one recurrent layer and a linear output over short texts, with the chain rule by hand.

The parameters are one flat vector in the order of PyTorch's `nn.Embedding`, `nn.RNN` or `nn.LSTM`, and `nn.Linear`,
so `torch.nn.utils.parameters_to_vector` of these three modules is the same vector. The backward pass goes back
through the words of the text one by one (backpropagation through time); the tests prove it equal to autograd.

Texts are padded in front with word number 0. What the recurrent layer takes in for a word is a row of one small table,
embedding · weight_ihᵀ + biases, and row 0 of that table is 0. A state of 0 then stays exactly 0 until the first word:
tanh(0) = 0, and an LSTM's new cell is σ(0) · 0 + σ(0) · tanh(0) = 0. So padding changes nothing, every text ends at
the last step, and no step needs a mask. Only the slopes are masked, all in one go, on the way back.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Final

import torch
from torch import Tensor

from .network import INITIALISATIONS, LARGE

CELLS: Final[Mapping[str, str]] = {"rnn": "Simple RNN", "lstm": "LSTM"}
"""The kinds of recurrent layer, by key, with a title for the menu."""
_GATES: Final[Mapping[str, int]] = {"rnn": 1, "lstm": 4}


class RecurrentNetwork:
    """Parameters, their gradient, and the forward and backward pass of embedding, recurrent layer and output.

    With x the embedding of the word at hand, h and c the state and the cell before it (0 before the first word):

        rnn:   h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
        lstm:  i, f, g, o = W_ih x + b_ih + W_hh h + b_hh, cut into four
               c' = σ(f) c + σ(i) tanh(g),   h' = σ(o) tanh(c')

    and the raw output is one number, weight · h + bias with h after the last word.

    Args:
        vocabulary: number of words, padding (word number 0) included; 2 or more.
        embedding: how many numbers stand for a word; 1 or more.
        units: size of the state; 1 or more.
        cell: key of the recurrent layer, one of `CELLS`.
        dtype: torch.float32 or torch.float64.

    Raises:
        ValueError: an argument is out of its bounds.

    Example:
        >>> import torch
        >>> from lossviz.models import with_ones
        >>> from lossviz.models.recurrent import RecurrentNetwork
        >>> net = RecurrentNetwork(vocabulary=3, embedding=1, units=1, cell="rnn", dtype=torch.float64)
        >>> parts = net.split(net.parameters)
        >>> parts["embedding.weight"][:, 0] = torch.tensor([0.0, 0.5, -0.5])
        >>> parts["recurrent.weight_ih_l0"].fill_(1.0).item(), parts["output.weight"].fill_(1.0).item()
        (1.0, 1.0)
        >>> texts = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 2.0]], dtype=torch.float64)
        >>> [round(value, 4) for value in net.forward(with_ones(texts), net.workspace(2))[:, 0].tolist()]
        [0.4621, -0.4621]

    References:
        Elman (1990), Finding structure in time, Cognitive Science 14.
        Hochreiter, Schmidhuber (1997), Long short-term memory, Neural Computation 9.
        Werbos (1990), Backpropagation through time: what it does and how to do it, Proceedings of the IEEE 78.
    """

    def __init__(self, vocabulary: int, embedding: int, units: int, cell: str, dtype: torch.dtype) -> None:
        for name, value, low in (("vocabulary", vocabulary, 2), ("embedding", embedding, 1), ("units", units, 1)):
            if value < low:
                raise ValueError(f"{name} is {value!r}; {low} or more is allowed")
        if cell not in CELLS:
            raise ValueError(f"cell is {cell!r}; allowed: {', '.join(CELLS)}")
        self.vocabulary, self.embedding, self.units, self.cell, self.dtype = vocabulary, embedding, units, cell, dtype
        self.batch_norm = False
        self.columns = _GATES[cell] * units  # weighted sums at each word: `units` of them for each gate
        self.shapes: Mapping[str, tuple[int, ...]] = {
            "embedding.weight": (vocabulary, embedding),
            "recurrent.weight_ih_l0": (self.columns, embedding),
            "recurrent.weight_hh_l0": (self.columns, units),
            "recurrent.bias_ih_l0": (self.columns,),
            "recurrent.bias_hh_l0": (self.columns,),
            "output.weight": (1, units),
            "output.bias": (1,),
        }
        self.parameters = torch.zeros(sum(math.prod(shape) for shape in self.shapes.values()), dtype=dtype)
        self.gradient = torch.zeros_like(self.parameters)
        self.running = self.parameters[:0]  # what training changes besides the parameters: nothing
        self._embedding, self._ih, self._hh, self._bias_ih, self._bias_hh, self._weight, self._bias = self.split(
            self.parameters
        ).values()
        self._slopes = tuple(self.split(self.gradient).values())
        self._ih_t, self._hh_t, self._weight_t = self._ih.t(), self._hh.t(), self._weight.t()
        # What each word, and each slope of a word, comes to: made anew in each pass.
        self._table = torch.zeros(vocabulary, self.columns, dtype=dtype)
        self._table_slopes = torch.zeros_like(self._table)
        self._biases = torch.zeros(self.columns, dtype=dtype)

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """Return views of a flat vector by the names that PyTorch gives the parameters, in PyTorch's order."""
        parts, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            parts[name] = flat[start:stop].view(shape)
            start = stop
        return parts

    def layers(self, flat: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return views of a flat vector as weights and biases of embedding (no biases), recurrent layer and output."""
        stops = [math.prod(shape) for shape in self.shapes.values()]
        embedding, ih, hh, bias_ih, bias_hh, weight, bias = torch.split(flat, stops)
        recurrent, biases = len(ih) + len(hh), len(bias_ih) + len(bias_hh)
        start = len(embedding)
        middle = flat[start : start + recurrent], flat[start + recurrent : start + recurrent + biases]
        return [(embedding, embedding[:0]), middle, (weight, bias)]

    @property
    def weight_mask(self) -> Tensor:
        """1 where a parameter is a weight, 0 where it is a bias: penalties act on weights alone."""
        mask = torch.zeros_like(self.parameters)
        for weights, _ in self.layers(mask):
            weights.fill_(1.0)
        return mask

    def initialise(self, how: str, generator: torch.Generator) -> None:
        """Set the parameters as one of `INITIALISATIONS` says; the embedding of the padding is always 0.

        "default" draws in the same order as `nn.Embedding(vocabulary, embedding, padding_idx=0)`, `nn.RNN` or
        `nn.LSTM`, and `nn.Linear`: after `torch.manual_seed(s)` these three, made one after the other, hold the same
        numbers as this network does with a generator seeded with s. Embeddings are from N(0, 1), all else from
        U(-1/sqrt(units), 1/sqrt(units)). "xavier" and "he" draw each weight matrix as `nn.init.xavier_uniform_` and
        `nn.init.kaiming_normal_(nonlinearity="relu")` do, with the embeddings as before and biases of 0. "large" is
        the default times 10, "zeros" is 0 everywhere.

        Raises:
            ValueError: there is no such initialisation.

        References:
            Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, AISTATS.
            He, Zhang, Ren, Sun (2015), Delving Deep into Rectifiers, ICCV.
        """
        if how not in INITIALISATIONS:
            raise ValueError(f"initialisation is {how!r}; allowed: {', '.join(INITIALISATIONS)}")
        self.parameters.zero_()
        if how == "zeros":
            return
        for name, part in self.split(self.parameters).items():
            drawn = torch.empty(part.shape, dtype=self.dtype)
            matrix = part.dim() == 2
            if name == "embedding.weight":
                drawn.normal_(generator=generator)[0] = 0.0
            elif how == "xavier" and matrix:
                torch.nn.init.xavier_uniform_(drawn, generator=generator)
            elif how == "he" and matrix:
                torch.nn.init.kaiming_normal_(drawn, nonlinearity="relu", generator=generator)
            elif how in ("xavier", "he"):
                drawn.zero_()
            elif name == "output.weight":
                # The bound is 1/sqrt(units), rounded as nn.Linear rounds it.
                torch.nn.init.kaiming_uniform_(drawn, a=math.sqrt(5.0), generator=generator)
            else:
                bound = 1.0 / math.sqrt(self.units)
                drawn.uniform_(-bound, bound, generator=generator)
            part.copy_(drawn)
        if how == "large":
            self.parameters.mul_(LARGE)

    def workspace(self, rows: int, dropout: float = 0.0) -> RecurrentWorkspace:
        """Return the buffers that a pass over `rows` texts needs.

        Raises:
            ValueError: dropout is not 0.
        """
        if dropout:
            raise ValueError(f"dropout is {dropout!r}; a recurrent model has none: only 0 is allowed")
        return RecurrentWorkspace(self, rows)

    def train(self, x: Tensor, space: RecurrentWorkspace, generator: torch.Generator) -> Tensor:
        """Return the raw outputs in training mode, which is no other than evaluation; nothing is drawn."""
        return self.forward(x, space)

    def forward(self, x: Tensor, space: RecurrentWorkspace) -> Tensor:
        """Return the raw outputs (rows, 1).

        Args:
            x: word numbers and a last column of ones that is ignored, shape (rows, length + 1). Padding, number 0,
                stands in front of a text and nowhere else.
            space: what `workspace(rows)` returned.

        Raises:
            IndexError: there is no word of such a number.
        """
        steps = space.of(x.shape[1] - 1)
        steps.words.copy_(x[:, :-1].t())
        torch.add(self._bias_ih, self._bias_hh, out=self._biases)
        torch.addmm(self._biases, self._embedding, self._ih_t, out=self._table)
        self._table[0] = 0.0
        torch.index_select(self._table, 0, steps.flat_words, out=steps.flat_gates)
        steps.forward(self._hh_t)
        return torch.addmm(self._bias, steps.states[-1], self._weight_t, out=space.sums[-1])

    def read(self, space: RecurrentWorkspace) -> Tensor:
        """Return the raw output after each place (rows, length), as if the text ended there, after a `forward`.

        Before the first word the state is 0 and the output the bias.
        """
        return (space.steps.states[1:] @ self._weight_t + self._bias)[..., 0].t()

    def backward(self, x: Tensor, delta: Tensor, space: RecurrentWorkspace) -> None:
        """Write d loss/d parameters into `gradient`, given delta = d loss/d raw outputs (rows, 1).

        A pass of `forward` over the same x with the same workspace must come first.
        """
        embedding, ih, hh, bias_ih, bias_hh, weight, bias = self._slopes
        steps = space.steps
        torch.mm(delta.t(), steps.states[-1], out=weight)
        torch.sum(delta, 0, out=bias)
        slopes = steps.backward(torch.mm(delta, self._weight), self._hh)
        torch.mm(slopes.t(), steps.flat_before, out=hh)
        self._table_slopes.zero_().index_add_(0, steps.flat_words, slopes)
        torch.mm(self._table_slopes.t(), self._embedding, out=ih)
        torch.mm(self._table_slopes, self._ih, out=embedding)
        torch.sum(self._table_slopes, 0, out=bias_ih)
        bias_hh.copy_(bias_ih)

    def embedded(self, x: Tensor) -> Tensor:
        """Return the embeddings of all words of some texts, (words, embedding); padding is no word."""
        words = x[:, :-1].long()
        return self._embedding[words[words > 0]]

    def gradient_squares(self, x: Tensor, delta: Tensor, space: RecurrentWorkspace) -> Tensor:
        """Return the squared norm of each text's own gradient, (rows,) in float64, after a pass of `forward`.

        The gradient of a matrix is a sum over the places t of outer products s_t x_tᵀ, where s_t is the slope of the
        loss in the weighted sums and x_t what the matrix took in. Its square is Σ over t, u of (s_t·s_u)(x_t·x_u), so
        two small tables of products, one row and one column a place, stand for the whole matrix.

        `x`, `delta` and `space` are those of `backward`; the network's own gradient stays as it is.
        """
        steps = space.of(x.shape[1] - 1)
        last = steps.states[-1].double()
        squares = delta.double().square().sum(1) * (last.square().sum(1) + 1.0)
        flat = steps.backward(torch.mm(delta, self._weight), self._hh)
        slopes = flat.view(steps.length, len(x), -1).double().transpose(0, 1)
        words = steps.words.t()
        tables = [part.double() for part in (self._embedding[words], steps.states[:-1].transpose(0, 1))]
        pulls = slopes @ slopes.mT
        squares += sum((pulls * (part @ part.mT)).sum((1, 2)) for part in tables)
        squares += 2.0 * slopes.sum(1).square().sum(1)  # both biases have the same slope
        # Words that come twice in a text share a row of the embedding.
        down = slopes @ self._ih.double()
        squares += ((down @ down.mT) * (words.unsqueeze(1) == words.unsqueeze(2))).sum((1, 2))
        return squares


class RecurrentWorkspace:
    """Buffers of one pass: the raw outputs in `sums[-1]`, and `steps`, what happens at each place of the texts."""

    def __init__(self, network: RecurrentNetwork, rows: int) -> None:
        self.sums = [torch.zeros(rows, 1, dtype=network.dtype)]
        self._make = partial(_STEPS[network.cell], rows, network.units, network.columns, network.dtype)
        self.steps = self._make(0)

    def of(self, length: int) -> Steps:
        """Return the steps for texts of that length; they are made once, unless the length changes."""
        if length != self.steps.length:
            with torch.inference_mode(False):  # so that the buffers can also be used outside of it
                self.steps = self._make(length)
        return self.steps


class Steps(ABC):
    """The recurrent layer at each place t of the texts: `states[t]` is the state before it, `states[-1]` the last.

    All buffers have the place as their first index, so what belongs to one place lies together.
    """

    def __init__(self, rows: int, units: int, columns: int, dtype: torch.dtype, length: int) -> None:
        self.length = length
        self.words = torch.zeros(length, rows, dtype=torch.long)
        self.gates = torch.zeros(length, rows, columns, dtype=dtype)
        self.states = torch.zeros(length + 1, rows, units, dtype=dtype)
        self.flat_words = self.words.view(-1)
        self.flat_gates = self.gates.view(-1, columns)
        self.flat_before = self.states[:-1].view(-1, units)
        # Made on the first way back: who only predicts needs no memory for them.
        self.slopes: Tensor | None = None

    @abstractmethod
    def forward(self, hh_t: Tensor) -> None:
        """Go through the texts: fill `states`, given what each word brings in `gates` and weight_hh transposed."""

    @abstractmethod
    def backward(self, delta: Tensor, hh: Tensor) -> Tensor:
        """Go back through the texts: return d loss/d weighted sums (places times rows, columns); 0 at the padding.

        `delta` is d loss/d last state and is overwritten.
        """


class RnnSteps(Steps):
    """The simple recurrent layer."""

    def __init__(self, rows: int, units: int, columns: int, dtype: torch.dtype, length: int) -> None:
        super().__init__(rows, units, columns, dtype, length)
        self._walk = list(zip(self.gates, self.states[:-1], self.states[1:], strict=True))

    def forward(self, hh_t: Tensor) -> None:
        """See `Steps.forward`."""
        for gate, before, after in self._walk:
            torch.addmm(gate, before, hh_t, out=gate)
            torch.tanh(gate, out=after)

    def backward(self, delta: Tensor, hh: Tensor) -> Tensor:
        """See `Steps.backward`."""
        if self.slopes is None:
            with torch.inference_mode(False):
                self.slopes = torch.zeros_like(self.gates)
                self._back = list(self.slopes)[::-1]
        after = self.states[1:]
        # tanh' = 1 - tanh², at the words only.
        torch.mul(after, after, out=self.slopes).neg_().add_(1.0).mul_((self.words != 0).unsqueeze(-1))
        for slope in self._back:
            slope.mul_(delta)
            torch.mm(slope, hh, out=delta)
        return self.slopes.view(self.flat_gates.shape)


class LstmSteps(Steps):
    """The LSTM: `cells` beside the states; after a pass `gates` holds σ of all four weighted sums, in order i, f, g, o.

    σ(g) is not used, but one call over all four is faster than two around it.
    """

    def __init__(self, rows: int, units: int, columns: int, dtype: torch.dtype, length: int) -> None:
        super().__init__(rows, units, columns, dtype, length)
        self.cells = torch.zeros_like(self.states)
        self._candidates = torch.zeros(length, rows, units, dtype=dtype)  # tanh(g)
        self._squashed = torch.zeros_like(self._candidates)  # tanh(c')
        self._inputs, self._forgets, self._sums, self._outputs = self.gates.chunk(4, dim=2)
        self._walk = list(
            zip(
                *(self.gates, self._inputs, self._forgets, self._sums, self._outputs, self._candidates),
                *(self.cells[:-1], self.cells[1:], self._squashed, self.states[:-1], self.states[1:]),
                strict=True,
            )
        )

    def forward(self, hh_t: Tensor) -> None:
        """See `Steps.forward`."""
        for gate, let_in, keep, total, let_out, candidate, cell, new_cell, squashed, before, after in self._walk:
            torch.addmm(gate, before, hh_t, out=gate)
            torch.tanh(total, out=candidate)
            gate.sigmoid_()
            torch.mul(keep, cell, out=new_cell)
            new_cell.addcmul_(let_in, candidate)
            torch.tanh(new_cell, out=squashed)
            torch.mul(let_out, squashed, out=after)

    def backward(self, delta: Tensor, hh: Tensor) -> Tensor:
        """See `Steps.backward`."""
        if self.slopes is None:
            with torch.inference_mode(False):
                self.slopes = torch.zeros_like(self.gates)
                self._to_cell = torch.zeros_like(self._candidates)
                self._cell_delta = torch.zeros(delta.shape, dtype=delta.dtype)
                by_gate = self.slopes.view(*self.slopes.shape[:2], 4, -1)
                steps = zip(self.slopes, by_gate[:, :, :3], by_gate[:, :, 3], self._to_cell, self._forgets, strict=True)
                self._back = list(steps)[::-1]
        inputs, forgets, candidates, outputs = self.slopes.chunk(4, dim=2)
        # What each weighted sum does to the new cell (i, f, g) or to the state (o), and the cell to the state.
        torch.addcmul(self.gates, self.gates, self.gates, value=-1.0, out=self.slopes)  # σ' = σ - σ²
        inputs.mul_(self._candidates)
        forgets.mul_(self.cells[:-1])
        torch.mul(self._inputs, self._candidates, out=self._to_cell)
        torch.addcmul(self._inputs, self._to_cell, self._candidates, value=-1.0, out=candidates)  # i (1 - tanh²)
        outputs.mul_(self._squashed)
        torch.addcmul(self._outputs, self.states[1:], self._squashed, value=-1.0, out=self._to_cell)  # o (1 - tanh²)
        self.slopes.mul_((self.words != 0).unsqueeze(-1))
        cell_delta = self._cell_delta.zero_()
        three = cell_delta.unsqueeze(1)
        for slope, of_cell, of_state, to_cell, keep in self._back:
            cell_delta.addcmul_(delta, to_cell)
            of_cell.mul_(three)
            of_state.mul_(delta)
            cell_delta.mul_(keep)
            torch.mm(slope, hh, out=delta)
        return self.slopes.view(self.flat_gates.shape)


_STEPS: Final[Mapping[str, type[RnnSteps] | type[LstmSteps]]] = {"rnn": RnnSteps, "lstm": LstmSteps}
