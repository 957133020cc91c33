"""The JSON API: one file for each resource, each with one blueprint."""

from webui.api.health import health

BLUEPRINTS = (health,)
UNCOUNTED = frozenset(("health", "posters"))
