"""A picture on a larger canvas, and the mask of what is to be drawn around it, both as PNG.

Outside the picture the canvas is transparent white, inside the mask is opaque: the same for servers that read alpha
and for those that read grey (see ``masks.py``).
"""

from __future__ import annotations

from PIL import Image
from PIL.Image import Resampling

from bot.imaging.pixels import to_png, to_rgb, upright
from bot.imaging.threads import gate
from bot.imaging.uploads import check_upload, open_upload
from bot.rules.options.canvases import Canvas, Way, canvas_for
from bot.rules.options.sizes import Size, Sizes

KEPT, DRAWN = (0, 0, 0, 255), (255, 255, 255, 0)


def put_on_canvas(data: bytes, sizes: Sizes, way: Way, *, name: str = "image") -> tuple[Canvas, bytes, bytes]:
    """The canvas for a picture, the picture on it, and its mask. Raises ``BadUpload``."""
    upload = check_upload(data, name=name)
    canvas = canvas_for(sizes, Size(*upload.size), way)
    with gate.hold(upload.pixels + 2 * canvas.size.pixels):
        picture = upright(to_rgb(open_upload(upload), upload.container.icc), upload.turn)
        return canvas, to_png(_placed(picture, canvas), level=1), to_png(_mask(canvas), level=1)


def _placed(picture: Image.Image, canvas: Canvas) -> Image.Image:
    sheet = Image.new("RGBA", (canvas.size.width, canvas.size.height), DRAWN)
    sheet.paste(picture.resize((canvas.width, canvas.height), Resampling.LANCZOS), (canvas.left, canvas.top))
    return sheet


def _mask(canvas: Canvas) -> Image.Image:
    mask = Image.new("RGBA", (canvas.size.width, canvas.size.height), DRAWN)
    mask.paste(KEPT, canvas.kept)
    return mask
