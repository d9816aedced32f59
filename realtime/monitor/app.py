"""The monitor's web application: what can be asked of it."""

import json
import secrets
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from models.decode import Record, decode
from models.errors import BrokerError, MessageError
from realtime.monitor.access import LASTS_S, Access, Visitor
from realtime.monitor.assets import languages, read_assets
from realtime.monitor.beds import Beds
from realtime.monitor.events import Streams
from realtime.monitor.gate import Gate
from realtime.monitor.inlet import Inlet


class EventWish(Record):
    """A marker that somebody wants written."""

    bed: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class AcknowledgeWish(Record):
    """An alarm that somebody has seen."""

    bed: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    alarm: Annotated[str, Field(min_length=1, max_length=64)]


class Monitor:
    """Answers requests.

    Parameters
    ----------
    beds : Beds
        What is shown.
    inlet : Inlet
        Where commands go.
    access : Access
        Who may come in.
    origins : collection of str
        Under which addresses it is reached.
    version : str
        Of hemostream.
    metrics : callable or None
        Gives the text of ``/metrics``; None has none.
    """

    def __init__(
        self,
        beds: Beds,
        inlet: Inlet,
        access: Access,
        *,
        origins: Collection[str],
        version: str = "",
        metrics: Callable[[], str] | None = None,
    ) -> None:
        self._beds, self._inlet, self._access = beds, inlet, access
        self._streams = Streams(beds)
        self._assets = read_assets()
        self._languages = languages(self._assets)
        self._version = version
        self._metrics = metrics
        self._secure = all(origin.startswith("https://") for origin in origins)
        self._cookie = "__Host-hemostream" if self._secure else "hemostream"
        routes = [
            Route("/", self.page),
            Route("/enter", self.enter),
            Route("/login", self.login_page),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/assets/{name}", self.asset),
            Route("/me", self.me),
            Route("/now", self.now),
            Route("/events", self.events),
            Route("/event", self.event, methods=["POST"]),
            Route("/acknowledge", self.acknowledge, methods=["POST"]),
            Route("/metrics", self.metrics),
        ]
        self.app = Gate(Starlette(routes=routes), origins=origins)

    async def page(self, request: Request) -> Response:
        """The page itself, or the way to the login."""
        if self._who(request) is None:
            return RedirectResponse("/login", 303)
        return self._serve(request, "index.html")

    async def login_page(self, request: Request) -> Response:
        """Where name and password are asked for, or the printed address."""
        return self._serve(request, "login.html" if self._access.accounts is not None else "closed.html")

    async def enter(self, request: Request) -> Response:
        """The printed address: its key becomes a cookie, and leaves the address."""
        visitor = self._access.by_key(request.query_params.get("key", ""))
        return RedirectResponse("/login", 303) if visitor is None else self._let_in(visitor)

    async def log_in(self, request: Request) -> Response:
        """Name and password."""
        form: FormData = await request.form(max_files=0, max_fields=4)
        name, password = form.get("name"), form.get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            return PlainTextResponse("A name and a password.", 400)
        address = request.client.host if request.client else ""
        found = await self._access.log_in(name[:256], password[:1024], address)
        if isinstance(found, Visitor):
            return self._let_in(found)
        if found is None:
            return RedirectResponse("/login?no=1", 303)
        answer = self._serve(request, "login.html", status=429)
        answer.headers["Retry-After"] = str(int(found) + 1)
        return answer

    async def log_out(self, request: Request) -> Response:
        """Forget the cookie."""
        visitor = self._writer(request, role="read")
        if isinstance(visitor, Response):
            return visitor
        answer = JSONResponse({})
        answer.delete_cookie(self._cookie, secure=self._secure, httponly=True, samesite="strict")
        return answer

    async def asset(self, request: Request) -> Response:
        """A file of the page; nobody needs to be let in for that."""
        return self._serve(request, request.path_params["name"])

    async def me(self, request: Request) -> Response:
        """Who the page's visitor is, and its token for whatever it writes."""
        visitor = self._who(request)
        if visitor is None:
            return _refused(401)
        return JSONResponse(
            {
                "name": visitor.name,
                "role": visitor.role,
                "token": self._access.token(visitor),
                "version": self._version,
                "languages": self._languages,
                "login": self._access.accounts is not None,
            }
        )

    async def now(self, request: Request) -> Response:
        """The server's clock: a page that asks knows from the way there and back how late it is."""
        return _refused(401) if self._who(request) is None else JSONResponse({"t": self._beds.clock()})

    async def events(self, request: Request) -> Response:
        """The stream of news: of one bed (``?bed=``), or of all."""
        if self._who(request) is None:
            return _refused(401)
        if self._streams.full():
            return PlainTextResponse("Too many pages are open.", 503, {"Retry-After": "5"})
        last = request.headers.get("last-event-id") or request.query_params.get("last", "")
        return self._streams.stream(
            request.query_params.get("bed"), last[:64], lambda: self._who(request) is not None
        )

    async def event(self, request: Request) -> Response:
        """Write a marker into a session's journal."""
        return await self._command(request, EventWish, "event", "label")

    async def acknowledge(self, request: Request) -> Response:
        """Acknowledge an alarm."""
        return await self._command(request, AcknowledgeWish, "acknowledge", "alarm")

    async def metrics(self, request: Request) -> Response:
        """What Prometheus collects; the key of the printed address is its bearer token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not (scheme.lower() == "bearer" and self._access.knows_key(token)) and not self._who(request):
            return _refused(401)
        if self._metrics is None:
            return _refused(404)
        return Response(self._metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _command(
        self, request: Request, kind: type[EventWish] | type[AcknowledgeWish], what: str, key: str
    ) -> Response:
        visitor = self._writer(request)
        if isinstance(visitor, Response):
            return visitor
        try:
            values = json.loads(await request.body())
            wish: Any = decode(kind, values, error=MessageError, what="This is no request")
        except (MessageError, ValueError, RecursionError) as error:
            return JSONResponse({"ok": False, "reason": str(error)[:300]}, 400)
        bed = self._beds.beds.get(wish.bed)
        if bed is None or bed.silent:
            return JSONResponse({"ok": False, "reason": "silent"}, 409)
        sent = datetime.now(UTC).isoformat(timespec="milliseconds")
        command = {"schema": 1, "id": wish.id, key: getattr(wish, key), "who": visitor.name, "sent": sent}
        try:
            answer = await self._inlet.command(wish.bed, what, json.dumps(command), wish.id)
        except BrokerError as error:
            return JSONResponse({"ok": False, "reason": str(error)}, 503)
        if answer is None:
            return JSONResponse({"ok": False, "reason": "no answer"}, 504)
        return JSONResponse(answer.model_dump(exclude={"session", "run"}))

    def _who(self, request: Request) -> Visitor | None:
        return self._access.who(request.cookies.get(self._cookie))

    def _writer(self, request: Request, role: str = "write") -> Visitor | Response:
        visitor = self._who(request)
        if visitor is None:
            return _refused(401)
        if not self._access.token_is_theirs(visitor, request.headers.get("x-token")):
            return _refused(403)
        return _refused(403) if role == "write" and visitor.role != "write" else visitor

    def _let_in(self, visitor: Visitor) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self._cookie,
            self._access.cookie(visitor),
            max_age=LASTS_S,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    def _serve(self, request: Request, name: str, status: int = 200) -> Response:
        asset = self._assets.get(name)
        if asset is None:
            return _refused(404)
        headers = {"ETag": asset.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if status == 200 and request.headers.get("if-none-match") == asset.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, status, headers, asset.kind)
        return Response(asset.content, status, headers, asset.kind)


def new_key() -> str:
    """A key for the printed address."""
    return secrets.token_urlsafe(16)


def _refused(status: int) -> Response:
    words = {401: "Not logged in.", 403: "Not allowed.", 404: "Not found."}
    return PlainTextResponse(words[status], status)
