"""What is different in the programs of runs that read texts: data as word numbers, and a recurrent model."""

from __future__ import annotations

from typing import Final

from lossviz.export.section import Section
from lossviz.training import MODELS, RunConfig

_TORCH: Final = {"rnn": "nn.RNN", "lstm": "nn.LSTM"}
_KERAS: Final = {"rnn": "SimpleRNN", "lstm": "LSTM"}
PENALISED: Final = "weights = [value for value in model.parameters() if value.dim() == 2]"
"""The line that lists the weights that a penalty acts on."""
_LAST: Final = {"rnn": "state", "lstm": "(state, cell)"}


def model_title(config: RunConfig) -> str:
    """The model in a few words.

    Example:
        >>> model_title(RunConfig(dataset="reviews"))
        'LSTM with 8 units on words of 8 numbers'
    """
    units, numbers = config.hidden[0], config.embedding
    plural = "s" if units > 1 else ""
    return f"{MODELS[config.model]} with {units} unit{plural} on words of {numbers} number{'s' if numbers > 1 else ''}"


def word_tensors(config: RunConfig) -> tuple[list[str], str]:
    """Lines that bring the word numbers into the form that PyTorch's layers take, and a sentence about them."""
    parts = ("train", "validation") if config.validation_samples else ("train",)
    lines = [
        "def behind(texts):",
        "    return torch.tensor(np.stack([np.roll(row, np.count_nonzero(row)) for row in texts]), dtype=torch.long)",
        "",
        "",
        *(f"x_{part} = behind(x_{part})" for part in parts),
    ]
    return lines, " The padding, number 0, goes behind the words, where PyTorch can leave it out."


def torch_model(config: RunConfig) -> Section:
    """The model of PyTorch's own layers."""
    words, units = len(config.data.vocabulary), config.hidden[0]
    lines = ["torch.set_default_dtype(torch.float64)", "", ""] if config.dtype == "float64" else []
    lines += [
        "class Reader(nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.embedding = nn.Embedding({words}, {config.embedding}, padding_idx=0)",
        f"        self.recurrent = {_TORCH[config.model]}({config.embedding}, {units}, batch_first=True)",
        f"        self.output = nn.Linear({units}, 1)",
        "",
        "    def forward(self, texts):",
        "        lengths = (texts > 0).sum(1)",
        "        packed = pack_padded_sequence(",
        "            self.embedding(texts), lengths, batch_first=True, enforce_sorted=False",
        "        )",
        f"        _, {_LAST[config.model]} = self.recurrent(packed)",
        "        return self.output(state[-1])  # the state after the last word",
        "",
        "",
        f"torch.manual_seed({config.seed})",
        "model = Reader()",
        *_first_weights(config),
    ]
    imports = ("import torch", "from torch import nn", "from torch.nn.utils.rnn import pack_padded_sequence")
    text = (
        "Each word becomes a few numbers that are learnt. The recurrent layer takes them in word by word and keeps a "
        "state; the output layer reads the state after the last word. The seed decides the first weights."
    )
    return Section("Model", text, "\n".join(lines), imports)


def _first_weights(config: RunConfig) -> list[str]:
    """Lines that replace the weights as PyTorch's layers draw them."""
    how, seed = config.initialisation, f"torch.manual_seed({config.seed})"
    if how == "default":
        return []
    if how in ("zeros", "large"):
        change = "zero_()" if how == "zeros" else "mul_(10)"
        return ["with torch.no_grad():", "    for value in model.parameters():", f"        value.{change}"]
    drawn = "xavier_uniform_(value)" if how == "xavier" else 'kaiming_normal_(value, nonlinearity="relu")'
    return [
        seed,
        "for name, value in model.named_parameters():",
        '    if name == "embedding.weight":',
        "        nn.init.normal_(value)",
        "        value.data[0] = 0.0",
        "    elif value.dim() == 2:",
        f"        nn.init.{drawn}",
        "    else:",
        "        nn.init.zeros_(value)",
    ]


def keras_model(config: RunConfig, penalty: str) -> Section:
    """The model of Keras's own layers; `penalty` is a regularizer or nothing."""
    words, units = len(config.data.vocabulary), config.hidden[0]
    embedding = "zeros" if config.initialisation == "zeros" else "RandomNormal(stddev=1.0)"
    if config.initialisation == "large":
        embedding = "RandomNormal(stddev=10.0)"
    lines = [
        f"keras.utils.set_random_seed({config.seed})",
        "model = keras.Sequential([",
        f"    keras.Input(({config.sizes[0]},)),",
        *_layer(f"Embedding({words}, {config.embedding}, mask_zero=True", {"embeddings": embedding}, penalty),
        *_layer(
            f"{_KERAS[config.model]}({units}" + (", unit_forget_bias=False" if config.model == "lstm" else ""),
            {"kernel": _drawn(config, config.embedding), "recurrent": _drawn(config, units), "bias": _bias(config)},
            penalty,
        ),
        *_layer("Dense(1", {"kernel": _drawn(config, units), "bias": _bias(config)}, penalty),
        "])",
    ]
    text = (
        "The padding, word number 0, is masked: the recurrent layer passes over it. The first weights are drawn as on "
        "the page, but are other numbers."
    )
    return Section("Model", text, "\n".join(lines), ("import keras",))


def _layer(head: str, starts: dict[str, str], penalty: str) -> list[str]:
    """A layer, an argument a line: how each of its weights is drawn, and the penalty on all but the bias."""
    arguments = [
        f'{name}_initializer="{start}"' if start.islower() else f"{name}_initializer=keras.initializers.{start}"
        for name, start in starts.items()
    ]
    if penalty:
        arguments += [f"{name}_regularizer={penalty}" for name in starts if name != "bias"]
    name, first = head.split("(")
    return [f"    keras.layers.{name}(", *(f"        {argument}," for argument in (first, *arguments)), "    ),"]


def _bias(config: RunConfig) -> str:
    return _drawn(config, config.hidden[0]) if config.initialisation in ("default", "large") else "zeros"


def _drawn(config: RunConfig, inputs: int) -> str:
    """How the run draws a matrix, as Keras calls it."""
    how = config.initialisation
    if how in ("default", "large"):
        bound = (10.0 if how == "large" else 1.0) / config.hidden[0] ** 0.5
        return f"RandomUniform({-bound!r}, {bound!r})"
    if how == "he":
        return f"RandomNormal(stddev={(2 / inputs) ** 0.5!r})"
    return {"xavier": "glorot_uniform", "zeros": "zeros"}[how]


KERAS_NOTE: Final = (
    "A recurrent layer of PyTorch has two biases, which are added; that of Keras has one, so a step moves it half as "
    "far."
)
