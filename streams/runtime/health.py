"""The pages of a worker: `/metrics`, `/health` (is it alive), `/ready` (are its tables restored). PIPE-11."""

# mypy: allow-subclassing-any

from typing import Any

from faust.web.drivers import DRIVERS, aiohttp
from faust.web.views import View
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

WEB_SCHEME = "millrace"


async def metrics_page(view: Any, request: Any) -> Any:
    """All metrics in Prometheus text format."""
    content_type = CONTENT_TYPE_LATEST.partition(";")[0]
    return view.bytes(generate_latest(), content_type=content_type)


async def health_page(view: Any, request: Any) -> Any:
    """200 while the cycle makes progress, else 503: restart me."""
    return _status(view, ok=view.app._fetcher.live)


async def ready_page(view: Any, request: Any) -> Any:
    """200 while records flow or could, else 503: assigned nothing yet, or restoring."""
    return _status(view, ok=view.app._fetcher.ready)


def _status(view: Any, *, ok: bool) -> Any:
    assignment = view.app._fetcher.assignment
    owned = sorted(f"{tp.topic}/{tp.partition}" for tp in assignment.partitions)
    body = {"ok": ok, "phase": assignment.phase.value, "partitions": owned}
    return view.json(body, status=200 if ok else 503)


class Web(aiohttp.Web):
    """Faust's web server with these pages, without Faust's own: those would show table rows to anyone."""

    default_blueprints = debug_blueprints = production_blueprints = optional_blueprints = ()

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        for path, page in (("/metrics", metrics_page), ("/health", health_page), ("/ready", ready_page)):
            view = View.from_handler(page)
            view.view_name, view.view_path = page.__name__, path
            self.add_view(view)


def register() -> None:
    """Let `faust.App(web="millrace://")` find this server."""
    DRIVERS.aliases[WEB_SCHEME] = f"{__name__}:Web"
