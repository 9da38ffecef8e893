"""Named examples, each a config and one sentence that says what to see in it.

A run that is restless doubles the rounding of its first epochs again and again. Such examples compute with float64, and
none is so restless that its curves would depend on the processor: their programs reproduce them to six digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from lossviz import datasets
from lossviz.training.config import RunConfig
from lossviz.training.interventions import Intervention

#: The classic first PyTorch example: four points, one weight, one bias, plain gradient descent.
CLASSIC: Final = RunConfig(
    dataset="four_points",
    validation_fraction=0.0,
    standardise=False,
    hidden=(),
    initialisation="zeros",
    loss="mse",
    learning_rate=0.01,
    batch_size=None,
    epochs=1000,
)

#: The network and the data that TensorFlow Playground starts with.
PLAYGROUND: Final = RunConfig(
    dataset="circle",
    standardise=False,
    hidden=(4, 2),
    loss="mse",
    learning_rate=0.03,
    batch_size=10,
    epochs=300,
)

_OUTLIERS: Final = RunConfig(
    dataset="outliers",
    validation_fraction=0.0,
    standardise=False,
    hidden=(),
    loss="mse",
    learning_rate=0.05,
    batch_size=None,
    epochs=300,
)

#: The one outlier is put on the line at first, and pulled far up in epoch 151.
_PULLED: Final = replace(
    _OUTLIERS,
    samples=12,
    interventions=(Intervention(0, "move", (9, 1.9, 2.9)), Intervention(150, "move", (9, 1.9, 15.0))),
)

_DIABETES: Final = RunConfig(
    dataset="diabetes", hidden=(), learning_rate=0.05, batch_size=None, epochs=200, validation_fraction=0.25
)

_OVERFITTING: Final = RunConfig(
    dataset="sine",
    samples=30,
    noise=0.4,
    data_seed=1,
    hidden=(32, 32),
    dtype="float64",
    optimizer="adam",
    learning_rate=0.02,
    schedule="cosine",
    batch_size=None,
    epochs=1000,
)


_REVIEWS: Final = RunConfig(
    dataset="reviews",
    samples=600,
    validation_fraction=0.3,
    optimizer="adam",
    learning_rate=0.01,
    batch_size=16,
    epochs=30,
)


@dataclass(frozen=True)
class Example:
    """A run worth seeing; `comment` says in one or two sentences what to see."""

    key: str
    title: str
    comment: str
    config: RunConfig


_EXAMPLES: Final = (
    Example(
        "diabetes",
        "Diabetes, linear model",
        "Ten measurements explain about half of how far the disease progresses, on new patients too. "
        "The loss is a squared number of points, so it stays in the thousands.",
        _DIABETES,
    ),
    Example(
        "classic",
        "Four points, a first model",
        "One weight and one bias learn y = 2x. The loss falls from 30 to below 0.001, "
        "and still the weight is 1.99, not 2.",
        CLASSIC,
    ),
    Example(
        "classic_diverging",
        "Four points, too large a step",
        "The same model with learning rate 0.12. The largest stable rate is 0.119756, "
        "so every step makes the loss grow.",
        replace(CLASSIC, learning_rate=0.12),
    ),
    Example(
        "overfitting",
        "Sine, learnt by heart",
        "A large network and only 15 training points. The training loss goes on towards 0 "
        "while the validation loss turns and becomes more than twice as high.",
        _OVERFITTING,
    ),
    Example(
        "early_stopping",
        "Sine, stopped early",
        "The same network and points, but the run ends 50 epochs after the validation loss was lowest, and the weights "
        "of that epoch come back.",
        replace(_OVERFITTING, patience=50, best_weights=True),
    ),
    Example(
        "too_slow",
        "Diabetes, too small a step",
        "The same linear model with a hundredth of the learning rate. After 200 epochs it is still worse than a "
        "constant guess: R² is below 0.",
        replace(_DIABETES, learning_rate=0.0005),
    ),
    Example(
        "oscillating",
        "Four points, a step just small enough",
        "Learning rate 0.119, just below the largest stable one. Every step jumps across the valley and lands a little "
        "lower on its other side.",
        replace(CLASSIC, learning_rate=0.119, epochs=100),
    ),
    Example(
        "outliers_mse",
        "Outliers, squared error",
        "Six of 60 points lie far too high. Squared, their errors outweigh all others: "
        "the line is tilted to a slope of 1.67, though all other points follow a slope of 1.",
        _OUTLIERS,
    ),
    Example(
        "outliers_huber",
        "Outliers, Huber",
        "The same points with the Huber loss, which grows only linearly for large errors: "
        "the slope is 1.08, close to the 1 that most points follow.",
        replace(_OUTLIERS, loss="huber"),
    ),
    Example(
        "pulled_mse",
        "Pull an outlier: squared error",
        "Twelve points near a line with slope 1.08, until one of them is pulled far up in epoch 151: the squared error "
        "swings the line to a slope of 1.50. Drag the point, and the line follows.",
        _PULLED,
    ),
    Example(
        "pulled_huber",
        "Pull an outlier: Huber",
        "The same points and the same pull. With the Huber loss the slope goes from 1.08 to 1.12: beyond a distance of "
        "1 a point pulls no harder, however far away it is.",
        replace(_PULLED, loss="huber"),
    ),
    Example(
        "breast_cancer",
        "Breast cancer, linear model",
        "Thirty measurements of cell nuclei and one straight border: "
        "97 % or more of the new tumours are told apart correctly.",
        RunConfig(
            dataset="breast_cancer", hidden=(), learning_rate=0.1, batch_size=32, epochs=100, validation_fraction=0.3
        ),
    ),
    Example(
        "exam",
        "Exam, logistic regression",
        "One weight and one bias turn hours of study into the probability of passing: an S-shaped curve, which crosses "
        "one half near three and a half hours.",
        RunConfig(
            dataset="exam",
            hidden=(),
            initialisation="zeros",
            learning_rate=1.0,
            batch_size=None,
            epochs=100,
            validation_fraction=0.25,
        ),
    ),
    Example(
        "playground",
        "Circle, small network",
        "Two hidden layers of four and two units close a border around the middle. "
        "This is where TensorFlow Playground starts.",
        replace(PLAYGROUND, dtype="float64"),
    ),
    Example(
        "xor_linear",
        "Exclusive or, linear model",
        "No straight line can separate opposite corners: the loss stays near 0.69, what a guess of one half costs.",
        RunConfig(dataset="xor", hidden=(), epochs=100),
    ),
    Example(
        "zeros",
        "All weights zero",
        "Units that start alike get the same gradients and stay alike: the network never learns the circle.",
        RunConfig(dataset="circle", initialisation="zeros", epochs=100),
    ),
    Example(
        "unscaled",
        "Breast cancer, raw inputs",
        "Areas near 900 beside shares near 0.05, as they were measured. The units are pushed to the ends of tanh, "
        "their gradients vanish, and the model stays near a constant guess.",
        RunConfig(
            dataset="breast_cancer",
            standardise=False,
            hidden=(8,),
            dtype="float64",
            batch_size=32,
            epochs=60,
            validation_fraction=0.3,
        ),
    ),
    Example(
        "vanishing",
        "Circle, six layers of sigmoids",
        "Each sigmoid passes on at most a quarter of the gradient. After six of them the first layer gets a "
        "ten-thousandth of what the last one gets, and nothing is learnt.",
        RunConfig(dataset="circle", hidden=(8,) * 6, activation="sigmoid", learning_rate=0.1, epochs=150),
    ),
    Example(
        "exploding",
        "Spiral, far too large weights",
        "Four layers whose first weights are ten times too large: the gradient grows from layer to layer, and the loss "
        "jumps about although the learning rate is tiny.",
        RunConfig(
            dataset="spiral",
            hidden=(8,) * 4,
            activation="relu",
            initialisation="large",
            dtype="float64",
            learning_rate=1e-4,
            epochs=50,
        ),
    ),
    Example(
        "dead_units",
        "Circle, dead units",
        "One step too large throws the ReLU units out of reach of every point. From then on they give 0, and a unit "
        "that gives 0 has no gradient to bring it back.",
        RunConfig(dataset="circle", hidden=(8, 8), activation="relu", dtype="float64", learning_rate=3.0, epochs=60),
    ),
    Example(
        "squared_after_sigmoid",
        "Moons, squared error after a sigmoid",
        "The first weights are too large, so many points are wrong with certainty. There a squared error after a "
        "sigmoid has hardly any slope: cross-entropy gets out, it does not.",
        RunConfig(
            dataset="moons",
            hidden=(8,),
            initialisation="large",
            loss="brier",
            batch_size=32,
            epochs=40,
            validation_fraction=0.3,
            seed=1,
        ),
    ),
    Example(
        "sigmoid_twice",
        "Circle, sigmoid twice",
        "The model ends in a sigmoid, and the loss takes its output for a raw score and applies another one. The loss "
        "cannot fall below 0.49, and after 60 epochs one new point in ten is still wrong; without the mistake none "
        "is.",
        RunConfig(dataset="circle", hidden=(8,), wiring="sigmoid_twice", learning_rate=0.1, epochs=60),
    ),
    Example(
        "labels_zero_one",
        "Moons, hinge with labels 0 and 1",
        "The hinge loss multiplies scores by labels −1 and +1. Points with the label 0 cost 1 whatever happens and "
        "pull at nothing: soon every point is taken for class 1.",
        RunConfig(dataset="moons", hidden=(8,), loss="hinge", wiring="labels_zero_one", learning_rate=0.1, epochs=60),
    ),
    Example(
        "spiral",
        "Spiral, larger network",
        "Two layers of 16 units, ReLU and Adam follow the arms: more than 95 % of the new points are right.",
        RunConfig(
            dataset="spiral",
            hidden=(16, 16),
            activation="relu",
            dtype="float64",
            optimizer="adam",
            learning_rate=0.005,
            epochs=300,
        ),
    ),
    Example(
        "reviews",
        "Reviews, an LSTM learns negation",
        "Short synthetic reviews from a grammar of our own, read word by word. Within fifteen epochs “not good” is "
        "blame and “not bad” is praise: more than 98 % of the new reviews are right.",
        _REVIEWS,
    ),
    Example(
        "reviews_rnn",
        "Reviews, negation missed",
        "A plain recurrent layer of two units on the same reviews. It learns the words of praise and blame, but not "
        "what “not” does to them: of the new reviews with a negation and no “but”, fewer than half are right.",
        replace(_REVIEWS, model="rnn", hidden=(2,)),
    ),
    Example(
        "iris",
        "Iris, linear model",
        "Four lengths tell three kinds of flowers apart. Setosa is easy; the few errors lie between the other two.",
        RunConfig(dataset="iris", hidden=(), learning_rate=0.1, batch_size=16, epochs=200, validation_fraction=0.3),
    ),
    Example(
        "small_validation",
        "Iris, eight flowers held out",
        "With eight flowers one mistake more moves the validation accuracy by 12.5 points, so it says little.",
        RunConfig(dataset="iris", hidden=(), learning_rate=0.1, batch_size=16, epochs=100, validation_fraction=0.05),
    ),
    Example(
        "wine",
        "Wine, linear model",
        "Thirteen measurements tell three growers' wines apart: more than 93 % of the wines held out are right.",
        RunConfig(dataset="wine", hidden=(), learning_rate=0.1, batch_size=16, epochs=100, validation_fraction=0.3),
    ),
    Example(
        "digits",
        "Handwritten digits, one hidden layer",
        "Images of 8 × 8 grey values, ten classes: 32 units and Adam read more than 97 % of the digits held out.",
        RunConfig(
            dataset="digits",
            hidden=(32,),
            activation="relu",
            optimizer="adam",
            learning_rate=0.003,
            batch_size=32,
            epochs=40,
            validation_fraction=0.3,
        ),
    ),
    Example(
        "softmax_twice",
        "Digits, softmax twice",
        "The model ends in a softmax, and cross-entropy applies another one. No probability can get above 0.232, the "
        "loss cannot fall below 1.461, and the slopes are so small that a third of the digits are still read wrong.",
        RunConfig(
            dataset="digits",
            hidden=(32,),
            activation="relu",
            wiring="softmax_twice",
            batch_size=32,
            epochs=20,
            validation_fraction=0.3,
        ),
    ),
    Example(
        "blobs",
        "Three clouds, linear model",
        "Three straight borders meet in the middle, and cross-entropy falls from about 1.1, what a guess among three "
        "classes costs, to below 0.1.",
        RunConfig(dataset="blobs", hidden=(), initialisation="zeros", learning_rate=0.1, epochs=100),
    ),
)


def presets(task: datasets.Task | None = None) -> tuple[Example, ...]:
    """Return the examples, grouped by task; the first of each task uses real data.

    Args:
        task: "regression", "binary", "multiclass" or None for all.

    Returns:
        The examples, in the order in which a page should show them.

    Example:
        >>> from lossviz.training import presets
        >>> [example.key for example in presets("multiclass")]
        ['iris', 'small_validation', 'wine', 'digits', 'softmax_twice', 'blobs']
    """
    return tuple(example for example in _EXAMPLES if task is None or example.config.task == task)


def preset(key: str) -> Example:
    """Return the example of that key.

    Args:
        key: the key of one of `presets()`.

    Returns:
        The example.

    Raises:
        KeyError: there is no such example; the message holds the nearest names.

    Example:
        >>> from lossviz.training import CLASSIC, preset
        >>> preset("classic").config == CLASSIC
        True
    """
    found = {example.key: example for example in _EXAMPLES}
    if key not in found:
        near = get_close_matches(str(key), found, n=3) or list(found)
        raise KeyError(f"unknown example {key!r}; nearest: {', '.join(near)}")
    return found[key]
