"""A GIF is one sheet: its frames lie in a grid, and the sheet is what has bounds and a price.

3 by 3 for up to 9 frames, 4 by 3 up to 12, 4 by 4 up to 16 (measured: docs.apiyi.com, 14 tests of 2026-11-09). Which
grid a count really gets is not published: bounds hold for either way round, and the dearer one is reserved for.
"""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

from bot.rules.options.sizes import Size, SizeRule, nearest_size

GRIDS = ((9, (3, 3)), (12, (4, 3)), (16, (4, 4)))
"""Up to so many frames: the sides of the grid, the longer first."""

USUAL_EDGE_PX = 768
"""Of a square frame where nobody chose a size; less where so many frames do not have the room."""


def grid_of(frames: int) -> tuple[int, int]:
    """Beyond what was measured, the smallest square that holds them."""
    side = next(side for side in range(1, frames + 1) if side * side >= frames)
    return next((grid for most, grid in GRIDS if frames <= most), (side, side))


def sheets_of(size: Size, frames: int) -> tuple[Size, ...]:
    """The sheets that frames of this size may lie on."""
    long, short = grid_of(frames)
    return tuple(Size(size.width * across, size.height * down) for across, down in {(long, short), (short, long)})


def frame_rule(rule: SizeRule, frames: int) -> SizeRule:
    """What one frame may be, so that the sheet is what the rule lets through. A frame alone may be smaller."""
    long, short = grid_of(frames)
    bounds = replace(
        rule,
        max_edge_px=rule.max_edge_px // long // rule.step_px * rule.step_px,
        max_ratio=rule.max_ratio * short / long,
        min_pixels=-(-rule.min_pixels // frames),
        max_pixels=rule.max_pixels // (long * short),
    )
    return replace(bounds, standard=tuple(dict.fromkeys(nearest_size(bounds, size) for size in rule.standard)))


def largest_square(rule: SizeRule) -> Size:
    edge = min(isqrt(rule.max_pixels), rule.max_edge_px) // rule.step_px * rule.step_px
    return Size(edge, edge)


def usual_frame(rule: SizeRule) -> Size:
    return min(largest_square(rule), Size(USUAL_EDGE_PX, USUAL_EDGE_PX))
