"""HEAD and OPTIONS, the same for every address: HEAD is GET without a body, OPTIONS tells the methods."""

from collections.abc import Iterable, Sequence
from typing import Final

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

_ORDER: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class WithHead:
    """An application that answers HEAD as it answers GET (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. The server's own scope stays as it is: by it the server knows to send no body."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = scope.copy()
            scope["method"] = "GET"
        await self._app(scope, receive, send)


def options_routes(routes: Iterable[HTTPRouteHandler]) -> Sequence[HTTPRouteHandler]:
    """Return a route for OPTIONS of each address. Litestar's own tell the methods of its first route only."""
    methods: dict[str, set[str]] = {}
    for handler in routes:
        for path in handler.paths:
            methods.setdefault(path, set()).update(handler.http_methods)
    return [_options(path, allowed(told)) for path, told in methods.items()]


def allowed(methods: Iterable[str]) -> str:
    """Return what Allow says, where an address takes these methods."""
    told = {each.strip().upper() for each in methods} | {"OPTIONS"}
    if "GET" in told:
        told.add("HEAD")
    return ", ".join(each for each in _ORDER if each in told)


def _options(path: str, allow: str) -> HTTPRouteHandler:
    @route(path, http_method=["OPTIONS"], status_code=204)
    async def options() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return options
