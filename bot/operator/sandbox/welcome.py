"""What Easel offers to try first, on the card that greets somebody new in the sandbox."""

from __future__ import annotations

import io

from sandbox.images.drawing.scenes import paint_scene
from sandbox.page.welcome import Step, Welcome


def welcome() -> Welcome:
    return Welcome(
        (
            Step(
                {"en": "A red fox in snow", "de": "Ein roter Fuchs im Schnee"},
                {"en": "/imagine prompt:a red fox in snow", "de": "/imagine prompt:ein roter Fuchs im Schnee"},
                {},
            ),
            Step(
                {"en": "Four pictures", "de": "Vier Bilder"},
                {
                    "en": "/imagine prompt:a lighthouse at night count:4",
                    "de": "/imagine prompt:ein Leuchtturm bei Nacht count:4",
                },
                {},
            ),
            Step(
                {"en": "Edit this photo", "de": "Dieses Foto bearbeiten"},
                {"en": "/edit prompt:at night, with a full moon", "de": "/edit prompt:bei Nacht, mit Vollmond"},
                {},
                with_photo=True,
            ),
            Step({"en": "Be the admin", "de": "Admin sein"}, {"en": "/settings show"}, {"en": "ada", "de": "greta"}),
            Step({"en": "Break something", "de": "Etwas kaputt machen"}, {}, {}, to_faults=True),
        ),
        _photo,
    )


def _photo() -> bytes:
    out = io.BytesIO()
    paint_scene((1024, 768), "a lighthouse above a teal sea in the morning", "photo").save(out, "JPEG", quality=90)
    return out.getvalue()
