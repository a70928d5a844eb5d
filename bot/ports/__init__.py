"""What the core needs from outside, as protocols. Adapters satisfy them by shape; nothing here imports a library."""

from __future__ import annotations

from bot.ports.people import (
    BatchCounts,
    BatchDelivery,
    BatchPicture,
    CannotDeliver,
    Delivered,
    Delivery,
    Notifier,
    Progress,
    Stage,
    posting_key,
)
from bot.ports.process import (
    CannotStart,
    Clock,
    CrashPoint,
    Files,
    Meter,
    NullMeter,
    nothing_happens,
)
from bot.ports.service import (
    ImageService,
    KnownModel,
    OnPartial,
)
from bot.ports.store import (
    AuditEntry,
    Batch,
    BudgetWarning,
    Store,
    UsageLine,
)

__all__ = [
    "AuditEntry",
    "Batch",
    "BatchCounts",
    "BatchDelivery",
    "BatchPicture",
    "BudgetWarning",
    "CannotDeliver",
    "CannotStart",
    "Clock",
    "CrashPoint",
    "Delivered",
    "Delivery",
    "Files",
    "ImageService",
    "KnownModel",
    "Meter",
    "Notifier",
    "NullMeter",
    "OnPartial",
    "Progress",
    "Stage",
    "Store",
    "UsageLine",
    "nothing_happens",
    "posting_key",
]
