"""Words and shapes that every room shares. NumPy only."""

from . import seeds
from .errors import (
    BudgetError,
    BusyError,
    ConsentError,
    DataError,
    DeviceError,
    DigestError,
    FullError,
    ImageError,
    NoTrialsError,
    ParameterError,
    PluginError,
    RunError,
    ShapeError,
    StoreError,
    UnknownNameError,
    WeightsError,
    WorkbenchError,
    nearest,
)
from .registry import Entry, Registry, parted, slug
from .result import ANSWERS, Answer, Evidence, Reported, Result, Verdict
from .samples import Images, Samples
from .trials import Measurements, Resampled, Scores, Trials
from .values import Estimate, Number, Undefined

__all__ = [
    "ANSWERS", "Answer", "BudgetError", "BusyError", "ConsentError", "DataError", "DeviceError", "DigestError",
    "Entry", "Estimate", "Evidence", "FullError", "ImageError", "Images", "Measurements", "NoTrialsError", "Number",
    "ParameterError", "PluginError", "Registry", "Reported", "Resampled", "Result", "RunError", "Samples", "Scores",
    "ShapeError", "StoreError", "Trials", "Undefined", "UnknownNameError", "Verdict", "WeightsError", "WorkbenchError",
    "nearest", "parted", "seeds", "slug",
]  # fmt: skip
