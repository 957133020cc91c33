"""Read request bodies: JSON, forms and uploaded posters, each with its limit and its own error."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from embeddings.errors import InvalidRequestError
from webui.schemas import list_fields
from webui.settings import MAX_UPLOAD_BYTES

MAX_JSON_BYTES = 2**20
Model = TypeVar("Model", bound=BaseModel)


def is_form() -> bool:
    """Whether the body is a multipart form, as an upload is.

    Raises:
        UnsupportedMediaType: It is neither a form nor JSON.
    """
    if request.mimetype == "multipart/form-data":
        return True
    if request.is_json:
        return False
    raise UnsupportedMediaType(
        f"The body is {request.mimetype or 'of no type'}; send application/json or multipart/form-data."
    )


def read_json(model: type[Model]) -> Model:
    """Read a JSON body into ``model``.

    Raises:
        UnsupportedMediaType: The body is not JSON.
        RequestEntityTooLarge: It is longer than ``MAX_JSON_BYTES``.
        BadRequest: It is not UTF-8.
        ValidationError: It does not fit ``model``.
    """
    if not request.is_json:
        raise UnsupportedMediaType(f"The body is {request.mimetype or 'of no type'}; send application/json.")
    if (request.content_length or 0) > MAX_JSON_BYTES:
        raise RequestEntityTooLarge
    request.max_content_length = MAX_JSON_BYTES
    body = request.get_data()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("The JSON body is not UTF-8.") from error
    return model.model_validate_json(body, strict=True)


def read_form(model: type[Model]) -> Model:
    """Read the text fields of a multipart form into ``model``; numbers and truths come as text.

    Raises:
        ValidationError: They do not fit ``model``.
    """
    lists = list_fields(model)
    fields = {
        name: request.form.getlist(name) if name in lists else request.form[name]
        for name in request.form
        if name in lists or request.form[name] != ""
    }
    return model.model_validate(fields)


def read_upload(name: str = "poster") -> bytes:
    """The bytes of the uploaded file ``name``.

    Raises:
        UnsupportedMediaType: The body is not a multipart form.
        InvalidRequestError: The form has no such file, or it is empty.
        RequestEntityTooLarge: It is longer than 20 MB.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType(
            f"The body is {request.mimetype or 'of no type'}; send multipart/form-data with a file {name!r}."
        )
    data = find_upload(name)
    if data is None:
        raise InvalidRequestError(f"The form has no file {name!r}; choose a JPEG, PNG or WebP image.", name)
    return data


def find_upload(name: str = "poster") -> bytes | None:
    """The bytes of the uploaded file ``name``; None where the form has none.

    Raises:
        InvalidRequestError: It is empty, or was sent as text.
        RequestEntityTooLarge: It is longer than 20 MB.
    """
    file = request.files.get(name)
    if file is None:
        if name in request.form:
            raise InvalidRequestError(f"{name!r} came as text; send it as a file, with a file name.", name)
        return None
    with file.stream as stream:
        data = stream.read(MAX_UPLOAD_BYTES + 1)
    if len(data) > MAX_UPLOAD_BYTES:
        raise RequestEntityTooLarge
    if not data:
        raise InvalidRequestError(f"The file {name!r} is empty; choose a JPEG, PNG or WebP image.", name)
    return data
