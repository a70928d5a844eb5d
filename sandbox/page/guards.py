"""Who may talk to the page: a browser on this machine that opened this very address, and nobody through it.

A foreign site can make a browser send requests here, and a name it owns can be made to point here. Both are refused: by
the Host header (rebinding), and by Origin and Sec-Fetch-Site (cross-site requests).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_SITES = frozenset(("same-origin", "none"))


def headers_for(port: int) -> dict[str, str]:
    """The security headers of every answer."""
    sockets = " ".join(f"ws://{name}:{port}" for name in _NAMES if name[0] != "[")  # policies know no IPv6
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        f"connect-src 'self' {sockets}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }


def refusal(request: web.Request, port: int) -> str | None:
    """Why the request is not from this page, or None."""
    hosts = {f"{name}:{port}" for name in _NAMES}
    if request.headers.get("Host", "") not in hosts:
        return "This page answers only under its own local address."
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return "Another site may not use this page."
    site = request.headers.get("Sec-Fetch-Site")
    is_opening = request.method == "GET" and request.path == "/"
    if site is not None and site not in _SITES and not is_opening:
        return "Another site may not use this page."
    return None


def guard(port: Callable[[], int]) -> Middleware:
    """A middleware that refuses strangers and puts the security headers on every answer."""

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        problem = refusal(request, port())
        if problem is not None:
            return web.json_response({"problem": problem}, status=403, headers=headers_for(port()))
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(headers_for(port()))
        return answer

    return checked
