"""Whatever an answer holds becomes JSON that any reader takes."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from webui.json_bytes import to_json


@dataclass(frozen=True)
class Said:
    """Something with fields."""

    text: str
    numbers: tuple[float, ...]


def test_dataclasses_within_are_objects() -> None:
    assert json.loads(to_json({"said": [Said("so", (1.5, 2.0))]})) == {
        "said": [{"text": "so", "numbers": [1.5, 2.0]}]
    }


@pytest.mark.parametrize("value", ["\ud800", 2**70])
def test_what_the_quick_encoder_refuses_is_still_said(value: object) -> None:
    assert json.loads(to_json({"value": value, "said": Said("so", ())})) == {
        "value": value,
        "said": {"text": "so", "numbers": []},
    }


def test_a_value_that_json_does_not_know_is_refused_unless_told_how() -> None:
    with pytest.raises(TypeError):
        to_json({"value": 1j})
    assert json.loads(to_json({"value": 1j}, default=str)) == {"value": "1j"}
