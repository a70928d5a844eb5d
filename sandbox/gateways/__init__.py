"""Other people's image servers, as stand-ins: gateways, vendors and local servers, each with its own dialect.

``Gateway`` stands before an ``ImageService``, which draws and fails for it; ``DIALECTS`` says how each of them talks.
"""

from sandbox.gateways.dialects import DIALECTS
from sandbox.gateways.server import Gateway

__all__ = ["DIALECTS", "Gateway"]
