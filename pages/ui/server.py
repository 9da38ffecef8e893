"""What surrounds the pages: who may ask, response headers, own routes, warm start."""

import asyncio
import gc
import gzip
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import plotly
import plotly.offline
import streamlit as st
import torch
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

import lossviz
from lossviz.training import RunConfig, run

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_VERSION = plotly.offline.get_plotlyjs_version()
YEAR = 365 * 24 * 60 * 60


def public_path(path: str) -> str:
    """The path under which a browser reaches `path`, with `server.baseUrlPath` in front."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{path}" if base else path


def plotly_url() -> str:
    """Where a component loads plotly.js from; the version makes the address safe to cache for ever."""
    return f"{public_path('/assets/plotly.min.js')}?v={PLOTLY_VERSION}"


# Who may ask


def host_allowed(host: str | None) -> bool:
    """Whether a request's Host header names this server, by the one list `server.allowedHosts`."""
    return bool(is_host_allowed(host))


def origin_allowed(origin: str | None, host: str | None) -> bool:
    """Whether a page from `origin` may talk to the server that it addressed as `host`.

    Same origin, one listed in `server.corsAllowedOrigins`, or none at all (no browser). Streamlit's own check
    is not used: for a stranger it asks a web service for this machine's public address.
    """
    if not host_allowed(host):
        return False
    if origin is None:
        return True
    if origin in {listed.strip().rstrip("/") for listed in st.get_option("server.corsAllowedOrigins")}:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == (host or "").lower()


def _refusal(headers: Headers) -> Response | None:
    host, origin = headers.get("host"), headers.get("origin")
    if not host_allowed(host):
        return PlainTextResponse(
            f"lossviz does not answer to the name {host!r}. Allowed names: "
            f"{', '.join(st.get_option('server.allowedHosts'))}. "
            "To serve other machines, start with LOSSVIZ_LAN_HOST set to the name they use.\n",
            status_code=421,
        )
    if not origin_allowed(origin, host):
        return PlainTextResponse(
            f"Pages from {origin!r} may not use this server; only its own pages and those listed in "
            "server.corsAllowedOrigins may.\n",
            status_code=403,
        )
    return None


# Headers


@cache
def content_security_policy() -> str:
    """A policy under which Streamlit works and nothing can be loaded from another host.

    The scripts inside Streamlit's index page are allowed by their hashes. Components run from blob: modules,
    and both Streamlit and Plotly write style elements.
    """
    index = (Path(st.__file__).parent / "static" / "index.html").read_bytes()
    inline = re.findall(rb"<script>(.*?)</script>", index, flags=re.DOTALL)
    hashes = " ".join(f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in inline)
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' blob: {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        ]
    )


class Guard:
    """Refuses foreign hosts and origins before anything else sees the request, and sets the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or passes on, one HTTP request or WebSocket handshake."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Content-Security-Policy", content_security_policy())
            await send(message)

        # A refused WebSocket handshake is answered like a request: Starlette turns the response into a denial.
        app = _refusal(Headers(scope=scope)) or self.app
        await app(scope, receive, send_with_headers)


def middleware() -> list[Middleware]:
    """The middleware that runs before Streamlit's own."""
    return [Middleware(Guard)]


# Own routes


@cache
def _plotly(compressed: bool) -> bytes:
    script = PLOTLY_FILE.read_bytes()
    return gzip.compress(script, compresslevel=6, mtime=0) if compressed else script


async def plotly_script(request: Request) -> Response:
    """plotly.js from the installed package: compressed once, not at every request."""
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": f"public, max-age={YEAR}, immutable", "Vary": "Accept-Encoding"}
    if compressed:
        headers["Content-Encoding"] = "gzip"
    body = await asyncio.to_thread(_plotly, compressed)
    return Response(body, media_type="text/javascript", headers=headers)


async def explore_address(request: Request) -> Response:
    """Streamlit serves its default page at the root only, so the page's own name leads there, settings and all."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(public_path("/") + query, status_code=307)


def _under_base_path(route: BaseRoute) -> BaseRoute:
    # st.App serves added routes exactly where they say, so the base path is ours to put in front. A Mount of all
    # of them at the base path would swallow every Streamlit address below it.
    if isinstance(route, Route):
        return Route(public_path(route.path), route.endpoint, methods=sorted(route.methods or ()), name=route.name)
    if isinstance(route, WebSocketRoute):
        return WebSocketRoute(public_path(route.path), route.endpoint, name=route.name)
    raise TypeError(f"own routes are Route or WebSocketRoute, not {type(route).__name__}")


def routes(added: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Every address that is served beside the pages: those of this file and the added ones, below the base path."""
    own = [Route("/assets/plotly.min.js", plotly_script), Route("/explore", explore_address)]
    return [_under_base_path(route) for route in (*own, *added)]


# Start and failure


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Does what the first visitor would otherwise wait for, then keeps it out of garbage collections."""
    torch.set_num_threads(1)
    lossviz.tables("mse", [0.0, 1.0], [1.0, 1.0])
    next(run(RunConfig()))
    next(run(RunConfig(dataset="diabetes")))  # The first real data set imports scikit-learn.
    _plotly(compressed=True)
    gc.collect()
    gc.freeze()
    yield


def explain_failure(_error: Exception) -> bool:
    """Tells the learner in one sentence that a page failed; Streamlit has logged the traceback already."""
    st.error(
        "This page could not be finished because of a fault in lossviz, not because of anything you did. "
        "Reload the page to try again, or choose a page in the navigation to start afresh."
    )
    return True
