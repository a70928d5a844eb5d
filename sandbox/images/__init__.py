"""An OpenAI-compatible image service on this machine: strict like the real one, and it draws what it was asked for.

``ImageService`` starts and stops it; ``FAULTS`` names everything it can be told to do wrong. It has its own opinion of
every model's rules (``models.py``) and shares no code with the bot it tests.
"""

from __future__ import annotations

from sandbox.images.calls import Call, PictureFact, UploadFact
from sandbox.images.faults import FAULTS, Fault, Rule, answer, delay
from sandbox.images.service import ImageService

__all__ = ["FAULTS", "Call", "Fault", "ImageService", "PictureFact", "Rule", "UploadFact", "answer", "delay"]
