"""What the core needs from outside, as protocols. Adapters satisfy them by shape; nothing here imports a library."""

from __future__ import annotations

from bot.ports.delivery import (
    BatchCounts,
    BatchDelivery,
    BatchPicture,
    CannotDeliver,
    Delivered,
    Delivery,
    Notifier,
    Progress,
    Stage,
    WhyKept,
)
from bot.ports.figures import FigureStore, UsageLine, UsageRow
from bot.ports.files import Bundle, Files, Kept
from bot.ports.gate import Gate, OpenGate, Place
from bot.ports.jobs import Batch, JobStore, Known, Look
from bot.ports.leases import HeldJob, LeaseStore, Setup, Slot
from bot.ports.notes import NoteStore, Offer, OfferStore, Reminder
from bot.ports.people import PeopleStore
from bot.ports.process import (
    CannotStart,
    Clock,
    CrashPoint,
    Meter,
    NullMeter,
    nothing_happens,
)
from bot.ports.reviews import ReviewStore
from bot.ports.servers import AuditEntry, BudgetWarning, ServerStore
from bot.ports.service import (
    ImageService,
    KeyPays,
    KnownModel,
    Night,
    NightAnswer,
    NightLine,
    NightService,
    OnPartial,
    OperatorPays,
    Payer,
    ProvenanceService,
    WholeService,
)
from bot.ports.store import Store
from bot.ports.styles import StyleStore

__all__ = [
    "AuditEntry",
    "Batch",
    "BatchCounts",
    "BatchDelivery",
    "BatchPicture",
    "BudgetWarning",
    "Bundle",
    "CannotDeliver",
    "CannotStart",
    "Clock",
    "CrashPoint",
    "Delivered",
    "Delivery",
    "FigureStore",
    "Files",
    "Gate",
    "HeldJob",
    "ImageService",
    "JobStore",
    "Kept",
    "KeyPays",
    "Known",
    "KnownModel",
    "LeaseStore",
    "Look",
    "Meter",
    "Night",
    "NightAnswer",
    "NightLine",
    "NightService",
    "NoteStore",
    "Notifier",
    "NullMeter",
    "Offer",
    "OfferStore",
    "OnPartial",
    "OpenGate",
    "OperatorPays",
    "Payer",
    "PeopleStore",
    "Place",
    "Progress",
    "ProvenanceService",
    "Reminder",
    "ReviewStore",
    "ServerStore",
    "Setup",
    "Slot",
    "Stage",
    "Store",
    "StyleStore",
    "UsageLine",
    "UsageRow",
    "WholeService",
    "WhyKept",
    "nothing_happens",
]
