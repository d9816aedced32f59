"""What every request passes: who it says it talks to, how large it is, and what every answer says.

The name in ``Host`` must be one of ours (a foreign page that points a name of its own at this machine has
another), and what writes must come from a page of ours (``Origin``).
"""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 8192
"""Of the body of a request."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}


class Gate:
    """Middleware around the whole application.

    Parameters
    ----------
    app : ASGI application
        What is behind.
    origins : collection of str
        Ours, as ``https://ward.example:8765``; one of them must be asked for.
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.lower() for origin in origins)
        self._hosts = frozenset(origin.partition("://")[2] for origin in self._origins)
        self._secure = all(origin.startswith("https://") for origin in self._origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out[name] = value
                out.setdefault("Cache-Control", "no-store")
                if self._secure:
                    out["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        why = self._refused(scope["method"], headers)
        if why:
            status, text = why
            await PlainTextResponse(text, status)(scope, receive, answer)
            return
        await self._app(scope, receive, answer)

    def _refused(self, method: str, headers: Headers) -> tuple[int, str] | None:
        if headers.get("host", "").lower() not in self._hosts:
            return 421, "This server is not called so."
        if method not in ("GET", "HEAD", "POST"):
            return 405, "GET, HEAD or POST."
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit() or int(length) > MOST_BYTES:
            return 413, f"A request has at most {MOST_BYTES} bytes, and says how many."
        # A browser says where each request that writes comes from.
        if method == "POST" and headers.get("origin", "").lower() not in self._origins:
            return 403, "This request does not come from a page of this server."
        return None
