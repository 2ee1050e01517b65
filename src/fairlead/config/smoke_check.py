"""A request that tells from outside whether a release does its work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fairlead.config.kinds import Days, PositiveDuration, UrlPath
from fairlead.config.statuses import ONLY_200, StatusesText

Vantage = Literal["client", "host"]


@dataclass(frozen=True)
class SmokeCheck:
    """One request and what its answer must be.

    contains: text the body holds. json: dotted path in the JSON body → value it must have.
    max_time: seconds to the end of the answer. tls_days: the certificate, as this machine sees it,
    is valid at least so many days more; 0: no look at TLS. from_: asked from this machine, from the
    hosts, or both.
    """

    name: str
    path: UrlPath = "/"
    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = "GET"
    status: StatusesText = ONLY_200
    contains: str = ""
    json: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    max_time: PositiveDuration = 2.0
    tls_days: Days = 0
    from_: tuple[Vantage, ...] = ("client", "host")
