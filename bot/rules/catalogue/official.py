"""Whether an image service is OpenAI's own, where a key is needed and retired models are refused beforehand."""

from __future__ import annotations

from urllib.parse import urlsplit

OFFICIAL_SERVICE = "https://api.openai.com/v1"


def is_official(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")  # eu., us.: data residency
