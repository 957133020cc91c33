"""Commands of the web door."""

from __future__ import annotations

import click

from indexer.database import refuse_other_schema
from indexer.settings import Settings
from webui.metrics_dir import shared_metrics


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="TCP port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve the pages and the API, on this machine alone unless --host says otherwise.

    Example: onesheet serve --port 8000 --workers 2
    """
    refuse_other_schema(settings.database_url)
    with shared_metrics():
        # Gunicorn and Flask load here, so that the other commands start without them.
        from webui.server import ServeOptions
        from webui.server import serve as run
        from webui.settings import load_web_settings

        run(ServeOptions(host, port, workers), settings, load_web_settings())
