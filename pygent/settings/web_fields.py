"""The settings of the application in a browser."""

from __future__ import annotations

from pygent.settings import kinds
from pygent.settings.field import Field

WEB_FIELDS: tuple[Field, ...] = (
    Field(
        key="web_keep",
        kind=kinds.Whole(0),
        group="browser",
        variable="PYGENT_WEB_KEEP",
        about="Seconds that a session in the browser goes on while no tab shows it; 0: it ends with its tab",
    ),
    Field(
        key="web_sessions",
        kind=kinds.Whole(1),
        group="browser",
        variable="PYGENT_WEB_SESSIONS",
        about="Sessions that `pygent serve` runs at once",
    ),
    Field(
        key="web_hosts",
        kind=kinds.Listing(kinds.Text()),
        group="browser",
        variable="PYGENT_WEB_HOSTS",
        merge="extend",
        about="Further names under which browsers reach `pygent serve`, such as that of a proxy before it",
    ),
)
