"""Who may come in, and what every answer says about the page.

Each request is asked three things, in this order: does ``Host`` name this server (else 421), is it from our own page
(else 403), and has the browser a cookie of ours (else 401). Nothing is exempt, neither pictures nor the web socket,
which needs the page's key as well.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from pygent.web.hosts import Hosts, is_own
from pygent.web.keys import Keys, TooManyGuesses

LOGIN_PAGE = Path(__file__).parent / "login.html"
TOKEN = "token"  # noqa: S105 - a name
"""The name that the token has in the address, and in the form."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "pygent",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Styles stand in the page because the terminal makes its own."""
ASKED = "Open the address that the server printed, or say what lets you in."
KEYLESS = "Not from the page that was let in."
WRONG = "That is not it. An address works once, for one browser."
BUSY = "Somebody else is trying passwords just now. Wait a little."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """Stands before all handlers of a server. ``used`` is called when a token has let a browser in."""

    def __init__(self, keys: Keys, hosts: Hosts, used: Callable[[], None]) -> None:
        self._keys, self._hosts, self._used = keys, hosts, used

    def join(self, app: web.Application) -> None:
        """Become the door of ``app``."""
        app.middlewares.append(self._middleware)
        app.on_response_prepare.append(_add_headers)
        app.router.add_post("/login", self._login)
        app.router.add_post("/key", self._key)

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = self._refused(request)
        if refused is not None:
            return refused
        if request.path == "/" and TOKEN in request.query:
            return await self._exchange(request, handler)
        try:
            return await handler(request)
        except web.HTTPException as answer:
            return answer
        except (ConnectionError, OSError):
            raise
        except Exception as error:  # the boundary of a request: told without the address, which may hold a secret
            sys.stderr.write(f"A request failed: {type(error).__name__}\n")
            return _refusal(500, "This failed; the server goes on.")

    def _refused(self, request: web.Request) -> web.Response | None:
        """The answer to a request that goes no further."""
        if not self._hosts.answers_to(request.headers.getall("Host", [])):
            return _refusal(421, "This server does not answer to that name; the setting web_hosts adds names.")
        if not _is_from_our_page(request):
            return _refusal(403, "Only the page of this server may ask for that.")
        if request.path == "/login" or (request.path == "/" and TOKEN in request.query):
            return None  # who wants to be let in
        cookie = _cookie(request)
        if not self._keys.knows(cookie):
            return self._login_page(ASKED) if request.path == "/" else _refusal(401, ASKED)
        if request.path == "/ws" and not self._keys.opens(cookie, request.query.get("key", "")):
            return _refusal(401, KEYLESS)
        return None

    async def _exchange(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "GET" and self._keys.take_token(request.query[TOKEN]):
            self._used()
            if "text/html" in request.headers.get("Accept", ""):
                return self._let_in(request)
            return self._with_cookie(request, await handler(request))  # a program, which may keep no cookies
        if self._keys.knows(_cookie(request)):
            return _to_clean_address(request)  # the address that let this browser in, once more
        return self._login_page(WRONG)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        given = str((await request.post()).get(TOKEN, ""))
        if self._keys.take_token(given):
            self._used()
            return self._let_in(request)
        try:
            right = await self._keys.is_password(given)
        except TooManyGuesses:
            return self._login_page(BUSY, 429)
        return self._let_in(request) if right else self._login_page(WRONG)

    async def _key(self, request: web.Request) -> web.Response:
        """Answers 204 to a page that has its key, 200 with the key to one that gets it now, else 409."""
        cookie = _cookie(request)
        if self._keys.opens(cookie, await request.text()):
            return web.Response(status=204)
        key = self._keys.new_key(cookie)
        return _refusal(409, KEYLESS) if key is None else web.Response(text=key)

    def _login_page(self, why: str, status: int = 401) -> web.Response:
        text = LOGIN_PAGE.read_text("utf-8").replace("WHY", escape(why))
        asked = "Password" if self._keys.has_password else "Token, from the address"
        answer = web.Response(status=status, text=text.replace("WHAT", asked), content_type="text/html")
        answer.headers["Referrer-Policy"] = "same-origin"  # without any a form does not say truly where it comes from
        return answer

    def _let_in(self, request: web.Request) -> web.StreamResponse:
        return self._with_cookie(request, _to_clean_address(request))

    def _with_cookie(self, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        secure = request.secure or request.headers.get("X-Forwarded-Proto", "") == "https"
        answer.set_cookie(
            _cookie_name(request), self._keys.new_cookie(), path="/", httponly=True, samesite="Strict", secure=secure
        )
        return answer


def _is_from_our_page(request: web.Request) -> bool:
    """Whether our page asks, or a person who opens it. Requests that only read need not say where they come from."""
    origins = request.headers.getall("Origin", [])
    reads = request.method in {"GET", "HEAD"}
    if origins or not reads or request.path == "/ws":
        return is_own(origins, request.headers["Host"])
    fetch = request.headers.get("Sec-Fetch-Site", "none")
    opens = request.path == "/" and request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return fetch in {"none", "same-origin"} or opens


def _cookie_name(request: web.Request) -> str:
    """Cookies do not know ports, so that two servers of one machine would take each other's."""
    return f"pygent-{request.url.port}"


def _cookie(request: web.Request) -> str:
    return request.cookies.get(_cookie_name(request), "")


def _to_clean_address(request: web.Request) -> web.Response:
    rest = [(name, value) for name, value in request.query.items() if name != TOKEN and request.method == "GET"]
    return web.Response(status=303, headers={"Location": f"/?{urlencode(rest)}" if rest else "/"})


def _refusal(status: int, why: str) -> web.Response:
    return web.Response(status=status, text=f"{why}\n")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = HEADERS["Server"]
