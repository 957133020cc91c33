"""What a net consists of: parameters per layer, as a table."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from embeddings.models.poster_net import PosterNet


def summary(net: PosterNet, size: tuple[int, int] | None = None) -> str:
    """Describe every layer that has parameters, with its output shape.

    Args:
        net: The net; it is run once on a blank poster.
        size: (width, height) of that poster in pixels; None takes the net's own.

    Returns:
        A table of lines, totals last.
    """
    width, height = size or (net.spec.width, net.spec.height)
    shapes = _output_shapes(net, width, height)
    rows = [("layer", "kind", "output", "parameters")]
    for name, module in net.named_modules():
        count = sum(p.numel() for p in module.parameters(recurse=False))
        if count:
            rows.append((name, type(module).__name__, shapes.get(name, ""), f"{count:,}"))
    total = sum(p.numel() for p in net.parameters())
    learning = sum(p.numel() for p in net.parameters() if p.requires_grad)
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}" for a, b, c, d in rows]
    lines.append(
        f"{net.spec.arch}: {total:,} parameters, {learning:,} of them learning, input {width}x{height}"
    )
    return "\n".join(lines)


def _output_shapes(net: PosterNet, width: int, height: int) -> dict[str, str]:
    shapes: dict[str, str] = {}
    handles = []
    for name, module in net.named_modules():
        if next(module.parameters(recurse=False), None) is None:
            continue

        def record(_: nn.Module, __: object, output: object, name: str = name) -> None:
            if isinstance(output, Tensor):
                shapes[name] = "x".join(str(n) for n in output.shape[1:])

        handles.append(module.register_forward_hook(record))
    was_training = net.training
    device = next(net.parameters()).device
    try:
        with torch.inference_mode():
            net.eval()(torch.zeros(1, 3, height, width, device=device))
    finally:
        net.train(was_training)
        for handle in handles:
            handle.remove()
    return shapes
