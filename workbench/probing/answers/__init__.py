"""From what a language model said about faces to a value, a refusal or nothing: never a guess."""

from .ages import AgeRange, AgeYears
from .answer import Answer, Kind, Outcome
from .attacks import Attack
from .attributes import Attributes
from .candidates import OneOfK
from .choices import EXPRESSION, GENDER, Choice
from .pairs import SamePerson, Similarity
from .people import People
from .refusals import refused

__all__ = [
    "EXPRESSION",
    "GENDER",
    "AgeRange",
    "AgeYears",
    "Answer",
    "Attack",
    "Attributes",
    "Choice",
    "Kind",
    "OneOfK",
    "Outcome",
    "People",
    "SamePerson",
    "Similarity",
    "refused",
]
