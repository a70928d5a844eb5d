"""Every button and menu about a server's settings, and the forms that are known again by their ids, for the client."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.ui.components.forms import Rebuild
from bot.ui.components.press import Press
from bot.ui.panels.server.answers import Undo
from bot.ui.panels.server.forms import FORM
from bot.ui.panels.server.panel import Asking, Control, OpenPanel, PanelForm, Remove

SERVER_ITEMS: tuple[type[Press], ...] = (Undo, OpenPanel, Remove, Asking, Control)
SERVER_FORMS: Mapping[re.Pattern[str], Rebuild] = {
    re.compile(FORM): lambda found, locale: PanelForm.of(
        found["scope"], int(found["subject"]), int(found["nonce"]), locale
    )
}
