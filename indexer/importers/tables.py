"""Reading tables that strangers wrote: any encoding and delimiter, bounded lines, bad rows by number."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from embeddings.errors import LabelsError

MAX_LINE = 1_000_000
MAX_COLUMNS = 10_000
_SNIFF = 1 << 20


@dataclass(frozen=True)
class Table:
    """A table whose header was read.

    Args:
        path: The file.
        columns: Names in the header, as written.
        rows: (line number, fields) of every row that has as many fields as the header; a row that
            has not, or cannot be read, comes as (line number, sentence).
    """

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str] | str]]

    def column(self, *names: str) -> int | None:
        """Position of the first of these columns that there is, in any case; None without one."""
        lowered = [column.strip().casefold() for column in self.columns]
        return next((lowered.index(name.casefold()) for name in names if name.casefold() in lowered), None)


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file, gzipped or not, as UTF-8, UTF-16 by its mark, or else Windows-1252.

    Raises:
        LabelsError: It is missing, not a file, or damaged.
    """
    try:
        with _open_bytes(path) as raw:
            encoding = _encoding(raw)
        with _open_bytes(path) as raw:
            yield io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
    except (OSError, EOFError) as error:
        raise LabelsError(f"{path} cannot be read: {error}.") from error


def _open_bytes(path: Path) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return path.open("rb")


def _encoding(raw: IO[bytes] | gzip.GzipFile) -> str:
    head = raw.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = head
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = raw.read(_SNIFF)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def bounded_lines(file: IO[str], path: Path) -> Iterator[str]:
    """The lines of a file, each with its end.

    Raises:
        LabelsError: A line is longer than a million characters.
    """
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise LabelsError(
                f"{path}, line {number} is longer than {MAX_LINE:,} characters; is it a table at all?"
            )
        yield line


@contextmanager
def open_table(path: Path, delimiter: str | None = None, quoted: bool = True) -> Iterator[Table]:
    """Open a table with a header line.

    Args:
        path: CSV or TSV, gzipped or not.
        delimiter: None guesses comma, semicolon or tab from the header.
        quoted: False takes quotation marks for what they are (IMDb's files).

    Raises:
        LabelsError: There is no such file, it is empty, or it is no table.
    """
    with open_text(path) as file:
        lines = bounded_lines(file, path)
        header = next(lines, "")
        if not header.strip():
            raise LabelsError(f"{path} is empty; expected a table with a header line.")
        mark = delimiter or max(",;\t", key=header.count)
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        columns = next(csv.reader([header], delimiter=mark, quoting=quoting))
        if len(columns) > MAX_COLUMNS:
            raise LabelsError(f"{path} has {len(columns)} columns, at most {MAX_COLUMNS} are read.")
        reader = csv.reader(lines, delimiter=mark, quoting=quoting)
        yield Table(path, tuple(columns), _rows(reader, len(columns)))


def _rows(reader: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str] | str]]:
    while True:
        # line_num counts physical lines of the reader, which began after the header.
        line = getattr(reader, "line_num", 0) + 2
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"the row cannot be read: {error}"
            continue
        if not fields:
            continue
        if len(fields) != width:
            yield line, f"the row has {len(fields)} fields, the header {width}"
            continue
        yield line, fields


def missing_columns(path: Path, columns: Sequence[str], needed: str) -> LabelsError:
    """The error for a table that lacks what it needs."""
    found = ", ".join(column[:40] for column in columns[:8])
    return LabelsError(f"{path} has the columns {found}; expected {needed}.")
