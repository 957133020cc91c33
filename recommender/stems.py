"""What a title says about its series: stems, part numbers and subtitles.

"Star Trek II: The Wrath of Khan" has the stem "star trek", the part "II" (a
number, a roman numeral, a number word after "Part" and the like) and a
subtitle. Names in brackets are read like the title: "American Wedding
(American Pie 3)".
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# A bare I, X or One ends titles that continue nothing: "The King and I", "Malcolm X", "Air Force One".
_BARE_ROMAN = r"(?:i{2,3}|iv|vi{0,3}|ix|xi{1,2})"
_ROMAN = rf"(?:i|x|{_BARE_ROMAN})"
_SEQUEL_WORDS = "too|returns|reborn|reloaded|revolutions|rises|forever|begins|strikes back|resurrection"
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|deux"
_PART_WORD = r"(?:part|episode|chapter|volume|vol\.?|book|no\.?|#)"
_NUMBER = rf"(?:\d{{1,2}}|{_ROMAN}|one|{_WORDS})"
_BARE_NUMBER = rf"(?:\d{{1,2}}|{_BARE_ROMAN}|{_WORDS})"
_SUPERSCRIPTS = str.maketrans({"²": " 2", "³": " 3", "⁴": " 4"})
_PART = re.compile(
    rf"[\s,:–-]+(?:the\s+)?{_PART_WORD}\s*{_NUMBER}\b.*$|[\s,/]+(?:{_BARE_NUMBER}|{_SEQUEL_WORDS}|\d\s?d)$"
)
_SUBTITLE = re.compile(r"\s*(?::\s+|\s[–-]\s)")
_PART_ALONE = re.compile(rf"(?:the\s+)?{_PART_WORD}\s*{_NUMBER}\b")
_LAST_NUMBER = re.compile(rf"[\s,]+(?:{_PART_WORD}\s*)?(?:\d|{_BARE_ROMAN})$")
_LETTER_AND_NUMBER = re.compile(r"[a-z]\d{1,2}:")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+")
_ARTICLE_ALONE = re.compile(r"^(?:the|a|an)$")
_ARTICLE_AT_END = re.compile(r"^(.+),\s*(the|a|an)$")
_BRACKETS = re.compile(r"(?<=\S)\s*\(([^()]*)\)")
_ALSO = re.compile(r"^a\.?k\.?a\.?\s+", re.IGNORECASE)
_AND_THE = re.compile(r"^(.+?) and the ")
_LAST_SMALL_NUMBER = 12


@dataclass(frozen=True)
class Stems:
    """What a title says about its series, folded: without case, accents or punctuation.

    Args:
        names: The title without brackets, then each name in brackets; with leading articles.
        parts: Stems left of a part number, without articles; the title shows that it continues something.
        before: Stems left of a colon or dash, or of "and the", with articles.
        behind: What stands behind the last colon or dash, of two words or more, with articles.
        numbered: The same left of a part number there, of one word or more.
    """

    names: tuple[str, ...]
    parts: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    behind: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()

    @property
    def whole(self) -> str:
        """The title without brackets and leading article."""
        return without_article(self.names[0])

    @functools.cached_property
    def every(self) -> frozenset[str]:
        """All of them without articles: two titles that share none are of two series."""
        others = (*self.names, *self.before, *self.behind, *self.numbered)
        return self.parts | frozenset(map(without_article, others)) - {""}


@functools.lru_cache(maxsize=50_000)
def stems(title: str) -> Stems:
    """Read the stems of one title.

    Example:
        >>> sorted(stems("Star Trek II: The Wrath of Khan").parts)
        ['star trek']
        >>> sorted(stems("Mad Max: Fury Road").before)
        ['mad max']
        >>> sorted(stems("American Wedding (American Pie 3)").parts)
        ['american pie']
    """
    of_names = [_stems_of(name) for name in _names(title)]
    return Stems(
        tuple(name for one in of_names for name in one.names),
        frozenset().union(*(one.parts for one in of_names)),
        frozenset().union(*(one.before for one in of_names)),
        frozenset().union(*(one.behind for one in of_names)),
        frozenset().union(*(one.numbered for one in of_names)),
    )


def _stems_of(name: str) -> Stems:
    """Stems of one folded name."""
    heads = [name[: found.start()] for found in _SUBTITLE.finditer(name)]
    last = _SUBTITLE.split(name)[-1] if heads else ""
    if _PART_ALONE.match(last):
        last = ""
    # Kept with its "and the": "The Bachelor" is no prologue to "The Bachelor and the Bobby-Soxer".
    beginnings = [*heads, *(found.group() for found in [_AND_THE.match(name)] if found)]
    # The first half of "D2: The Mighty Ducks" is its part number.
    numbered = last if _LETTER_AND_NUMBER.match(name) else _left_of_last_number(last)
    # Behind the part number of "Undisputed II: Last Man Standing" stands no series.
    is_series = " " in without_article(_clean(last)) and not any(map(_left_of_part, heads))
    return Stems(
        (_clean(name),),
        _cleaned([without_article(_left_of_part(text)) for text in (name, *heads)]),
        _cleaned(beginnings),
        _cleaned([last] if is_series else []),
        _cleaned([numbered]),
    )


def without_article(stem: str) -> str:
    """A stem without its leading article."""
    return _ARTICLE.sub("", stem)


def _names(title: str) -> list[str]:
    """The title without its brackets, and what stands in them but for a year, folded."""
    bracketed = [_ALSO.sub("", one.strip()) for one in _BRACKETS.findall(title) if not one.isdigit()]
    return [_fold(one) for one in (_BRACKETS.sub("", title), *bracketed)]


def _fold(name: str) -> str:
    """Lower case without accents and quotes, the article in front."""
    text = unicodedata.normalize("NFKD", name.strip().translate(_SUPERSCRIPTS))
    text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
    text = re.sub(r"[’'!?.]+", "", text).replace("&", "and").strip()
    return _ARTICLE_AT_END.sub(r"\2 \1", text)


def _clean(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip()


def _cleaned(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_clean, texts)) - {""}


def _left_of_part(text: str) -> str:
    """What stands left of a part number; empty where there is none, or an article alone."""
    found = _PART.search(text)
    if found is None or _is_big_number(found.group()):
        return ""
    return _ARTICLE_ALONE.sub("", text[: found.start()])


def _left_of_last_number(text: str) -> str:
    """The same of a number at the end, less than ten: "September 11" is no eleventh "September"."""
    found = _LAST_NUMBER.search(text)
    return text[: found.start()] if found else ""


def _is_big_number(part: str) -> bool:
    digits = re.search(r"\d+", part)
    return digits is not None and int(digits.group()) > _LAST_SMALL_NUMBER
