"""What a learner takes home: code for exactly what is on the board."""

from lossviz.export.code import keras_code, torch_code

__all__ = ["keras_code", "torch_code"]
