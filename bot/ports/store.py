"""The ledger as the core sees it: eight parts, each with a role; a use case takes those it needs."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports.figures import FigureStore
from bot.ports.jobs import JobStore
from bot.ports.leases import LeaseStore
from bot.ports.notes import NoteStore, OfferStore
from bot.ports.people import PeopleStore
from bot.ports.reviews import ReviewStore
from bot.ports.servers import ServerStore
from bot.ports.styles import StyleStore


@dataclass(frozen=True, slots=True)
class Store:
    """One ledger. Every method of every part is one transaction; all are safe to call at once."""

    jobs: JobStore
    servers: ServerStore
    figures: FigureStore
    leases: LeaseStore
    people: PeopleStore
    notes: NoteStore
    styles: StyleStore
    offers: OfferStore
    reviews: ReviewStore
