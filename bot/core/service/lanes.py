"""Lanes: a service and one of its keys. Each is paced by itself, and a refused key stops its own lane alone."""

from __future__ import annotations

from bot.rules.catalogue.model import DEFAULT_SERVICE
from bot.rules.people import Place

OPERATOR_LANE = "operator"
"""The operator's key at the default service."""

_KEY = "key "
_AT = " at "


def lane_of(place: Place) -> str:
    """The lane of a server's own key, which is one of the default service."""
    return f"{_KEY}{place.key}"


def lane_at(service: str) -> str:
    """The lane of the operator's key at a service."""
    return OPERATOR_LANE if service == DEFAULT_SERVICE else f"{OPERATOR_LANE}{_AT}{service}"


def service_of(lane: str) -> str:
    """The service that a lane leads to."""
    return lane.partition(_AT)[2] or DEFAULT_SERVICE


def is_own_key(lane: str) -> bool:
    """Whether a server's own key is what it has."""
    return lane.startswith(_KEY)
