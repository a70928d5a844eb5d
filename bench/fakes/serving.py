"""Serving one fake until its process is ended: on a free port, which it tells; with TLS where it has a certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from aiohttp import web


def serve(app: web.Application, certificate: list[str]) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(app, certificate))


async def _serve(app: web.Application, certificate: list[str]) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate[0])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
