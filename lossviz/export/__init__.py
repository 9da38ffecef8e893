"""What a learner takes home: code for exactly what is on the board, and the files of a run."""

from lossviz.export.code import keras_code, torch_code
from lossviz.export.run_files import (
    config_json,
    curves_csv,
    read_config,
    read_settings,
    state_dict,
    state_dict_bytes,
)
from lossviz.export.run_keras import keras_script
from lossviz.export.run_notebook import run_notebook
from lossviz.export.run_own import own_csv, own_file_name
from lossviz.export.run_report import run_report
from lossviz.export.run_rounding import rounding_epoch
from lossviz.export.run_script import run_script

__all__ = [
    "config_json",
    "curves_csv",
    "keras_code",
    "keras_script",
    "own_csv",
    "own_file_name",
    "read_config",
    "read_settings",
    "rounding_epoch",
    "run_notebook",
    "run_report",
    "run_script",
    "state_dict",
    "state_dict_bytes",
    "torch_code",
]
