"""How much is measured: the whole table in twelve minutes on two cores, or small, to see that every row works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """``variants`` of the whole job: the kind of picture, and whether with TLS. The first has ``rounds``; the others,
    and what needs fresh processes, have ``fresh_rounds``.
    """

    variants: tuple[tuple[str, bool], ...] = (("photo", False), ("noise", False), ("photo", True))
    side: int = 1024
    rounds: int = 5
    other_rounds: int = 3
    fresh_rounds: int = 2
    each: int = 6
    together: int = 32
    burst: int = 64
    gap_s: float = 0.15
    stream_rounds: int = 2
    reserve_s: float = 2.0
    phase_s: float = 8.0
    rate: float = 30.0
    orders_rate: float = 5.0
    waiting: int = 5000
    servers: tuple[int, ...] = (1, 100, 1_000, 10_000)
    starts: int = 5
    ages: tuple[int, ...] = (10**3, 10**6)
    age_times: int = 11


QUICK = Size(
    variants=(("photo", True),),
    side=64,
    rounds=1,
    other_rounds=1,
    fresh_rounds=1,
    each=2,
    together=3,
    burst=4,
    gap_s=0.05,
    stream_rounds=1,
    reserve_s=0.2,
    phase_s=1.5,
    rate=10.0,
    orders_rate=2.0,
    waiting=20,
    servers=(1, 20),
    starts=1,
    ages=(500, 600),
    age_times=1,
)
