"""The tree of errors that users can cause and cure.

    OnesheetError
    ├── NotFoundError          a movie, poster or snapshot that does not exist
    ├── InvalidRequestError    a value outside what is allowed
    ├── PosterError            image bytes that cannot or must not be read
    ├── LabelsError            a labels, ratings or catalog file that cannot be read
    ├── CheckpointError        a checkpoint that is missing, damaged or foreign
    ├── TrainingError          a training run that cannot start or go on
    ├── CatalogError           a database that is out of date, locked or unreachable
    └── SnapshotError          an index directory that is missing, damaged or foreign

Each message is one sentence or two: what was got, what was expected, what to
do. The doors turn them into exit code 1 and problem documents; nothing else
catches the root.
"""


class OnesheetError(Exception):
    """Something a user can cause and cure; the message says how."""


class NotFoundError(OnesheetError):
    """A movie, poster or snapshot that does not exist."""


class InvalidRequestError(OnesheetError):
    """A value outside what is allowed; ``field`` names it where there is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class PosterError(OnesheetError):
    """Image bytes that cannot or must not be read."""


class LabelsError(OnesheetError):
    """A labels, ratings or catalog file that cannot be read."""


class CheckpointError(OnesheetError):
    """A checkpoint that is missing, damaged or made by something else."""


class TrainingError(OnesheetError):
    """A training run that cannot start or go on."""


class CatalogError(OnesheetError):
    """A database that is out of date, locked or unreachable."""


class SnapshotError(OnesheetError):
    """An index directory that is missing, damaged or made by something else."""
