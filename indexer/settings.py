"""Settings of one onesheet home: environment, then ``onesheet.toml`` in the home, then default.

They live in the lowest package whose commands read them; the web adds its own
in ``webui.settings``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embeddings.errors import InvalidRequestError

CONFIG_NAME = "onesheet.toml"
_KEYS = (
    "database_url",
    "index_url",
    "model",
    "poster_hosts",
    "api_keys",
    "rate_limit",
    "allow_private_posters",
)


@dataclass(frozen=True)
class Settings:
    """Where a home keeps its things and what it allows.

    Args:
        home: Directory that everything the embedded default writes lies under.
        database_url: SQLAlchemy URL of the catalog.
        index_url: ``faiss://DIR``, ``milvus://[USER:PASSWORD@]HOST:PORT`` or ``milvus://FILE.db``.
        model: Checkpoint directory; None is the bundled one.
        poster_hosts: Hosts that posters may be downloaded from; none by default.
        api_keys: Keys for endpoints that change data; none: they answer 403.
        rate_limit: Flask-Limiter notation; empty is off; None is the default.
        allow_private_posters: Posters may be downloaded from this machine and its network; for tests alone.
    """

    home: Path
    database_url: str
    index_url: str
    model: Path | None = None
    poster_hosts: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = ()
    rate_limit: str | None = None
    allow_private_posters: bool = False

    @property
    def posters_dir(self) -> Path:
        """Where posters that came by upload or download are kept."""
        return self.home / "posters"

    @property
    def cache_dir(self) -> Path:
        """What may be deleted at any time: thumbnails, heat-maps."""
        return self.home / "cache"


def load_settings(home: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings as they are now.

    Args:
        home: The ``--home`` option; None reads ``ONESHEET_HOME``, then ``./onesheet-home``.
        environ: The environment; None is the process's own.

    Raises:
        InvalidRequestError: ``onesheet.toml`` is not TOML or has an unknown key.
    """
    env = os.environ if environ is None else environ
    root = Path(home or env.get("ONESHEET_HOME") or "onesheet-home").absolute()
    file = _read_config(root / CONFIG_NAME)

    def value(key: str) -> str | None:
        found = env.get(f"ONESHEET_{key.upper()}", file.get(key))
        return None if found is None else str(found)

    model = value("model")
    return Settings(
        home=root,
        database_url=value("database_url") or f"sqlite:///{root / 'catalog.db'}",
        index_url=value("index_url") or f"faiss://{root / 'index'}",
        model=Path(model) if model else None,
        poster_hosts=_split(value("poster_hosts")),
        api_keys=_split(value("api_keys")),
        rate_limit=value("rate_limit"),
        allow_private_posters=(value("allow_private_posters") or "").lower() in ("1", "true"),
    )


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _read_config(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"{path} is not a TOML file: {error}; mend or delete it.") from error
    unknown = sorted(set(config) - set(_KEYS))
    if unknown:
        raise InvalidRequestError(f"{path} has unknown settings {unknown}; known are {list(_KEYS)}.")
    return {key: ",".join(v) if isinstance(v, list) else v for key, v in config.items()}
