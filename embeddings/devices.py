"""Which device runs a net, and in which number format."""

from __future__ import annotations

import torch

from embeddings.errors import InvalidRequestError


def choose_device(device: str = "auto") -> torch.device:
    """The device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        InvalidRequestError: The device is unknown, or this machine has none such.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise InvalidRequestError(f"there is no device {device!r}: choose auto, cpu or cuda", "device")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise InvalidRequestError(
            f"torch finds no device {device!r} on this machine: choose auto or cpu", "device"
        )
    return torch.device(device)


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 where the hardware multiplies it natively, else None: float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else None
    if torch.backends.cpu.get_cpu_capability() not in ("AVX512", "AMX"):
        return None
    # Matrix units (Intel, 2023), or dot products of bfloat16 alone (AMD, 2022): at least twice as fast.
    multiplies: bool = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if multiplies else None
