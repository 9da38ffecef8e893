"""A run on other data: what of it stays, and what gives way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lossviz import datasets, losses
from lossviz.datasets.own_points import OwnPoints
from lossviz.training import MODELS, RunConfig, losses_for, models_for
from lossviz.training.wiring import RIGHT, WIRINGS, wirings_for
from pages.ui.train_state import TASK_TITLES


def with_dataset(config: RunConfig, key: str, own: OwnPoints | None = None) -> tuple[RunConfig, str]:
    """The same model and training on another data set, and what had to change for it in one sentence.

    Points, noise and class weights belong to a data set and start anew; a loss that does not fit the task is replaced.

    Args:
        config: The run.
        key: The data set's key.
        own: The data, if it is the learner's own.
    """
    data = datasets.get(key) if own is None else own.dataset
    kept = config.loss_key in losses_for(data.task)
    parameters = {
        item.name: config.parameters[item.name]
        for item in losses.get(config.loss_key).parameters
        if kept and item.kind != "class_weights"
    }
    loss = config.loss if kept else None
    wiring = config.wiring if kept and config.wiring in wirings_for(config.loss_key, data.task) else RIGHT
    fields: dict[str, Any] = {
        "dataset": key,
        "own": own,
        "samples": None,
        "noise": None,
        "stratify": config.stratify and data.task != "regression",
        "loss": loss,
        "loss_parameters": parameters,
        "wiring": wiring,
        "interventions": (),
    }
    if config.model not in models_for(data):
        fields |= PLAIN_MODEL
    new, remark = _fitted(config, fields)
    remarks = [remark] if remark else []
    if new.model != config.model:
        what = "Texts are read word by word" if data.vocabulary else "These are no texts"
        remarks.insert(0, f"{what}, so the model is a new one: {MODELS[new.model]}.")
    if not kept:
        was, now = losses.get(config.loss_key).title, losses.get(new.loss_key).title
        task = TASK_TITLES[data.task].lower()
        remarks.insert(0, f"{was} does not fit this task ({task}), so the loss is now {now}.")
        if config.wiring != wiring:
            remarks.insert(1, f"The mistake with it ({WIRINGS[config.wiring].title.lower()}) is gone.")
    return new, " ".join(remarks)


#: What brings back the model that suits a data set.
PLAIN_MODEL: dict[str, Any] = {
    **dict.fromkeys(("model", "hidden", "embedding", "standardise")),
    "activation": "tanh",
    "batch_norm": False,
    "dropout": 0.0,
}


def _fitted(config: RunConfig, fields: dict[str, Any]) -> tuple[RunConfig, str]:
    """The run with other fields, and what else gave way where they contradict the run, in a sentence."""
    alone = "Otherwise one of its classes would have no point to train on: "
    shares = {"stratify": True}, f"{alone}each class keeps its share of the points in both parts. "
    nothing = {"stratify": False, "validation_fraction": 0.0, "patience": None, "best_weights": False}
    norm = {"batch_norm": False}, "Its last batch would hold one point, so batch normalisation is off."
    for share, why in (({}, ""), shares, (nothing, f"{alone}no points are held out, and early stopping is off. ")):
        for other, also in (({}, ""), norm):
            try:
                return replace(config, **{**fields, **share, **other}), f"{why}{also}".strip()
            except ValueError as error:
                problem = error
    raise problem
