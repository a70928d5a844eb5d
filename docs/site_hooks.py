"""For the site: what the pages link to beside ``docs/`` lies in the repository, so links to it lead there."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\]\((?:\.\./)+(?!docs/)([^)\s]+)\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """``../SECURITY.md`` becomes its address; from ``decisions/`` it is one step further up."""
    up = page.file.src_uri.count("/") + 1
    address = f"{config['repo_url']}/blob/main/"
    return _OUTSIDE.sub(lambda found: f"]({address}{found[1]})" if found[0].count("../") == up else found[0], markdown)
