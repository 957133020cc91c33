"""Shapes that several scenes share: people, skylines, hills, stars."""

from __future__ import annotations

import math

import numpy as np

from indexer.demo.canvas import HEIGHT, WIDTH, Canvas, Colour


def person(canvas: Canvas, x: float, foot: float, size: float, colour: Colour, hat: bool = False) -> None:
    """A standing silhouette ``size`` pixels tall whose feet are at (x, foot)."""
    pen, head = canvas.pen, size * 0.085
    top = foot - size
    pen.ellipse([x - head, top, x + head, top + 2.3 * head], fill=colour)
    shoulder, hip = size * 0.15, size * 0.09
    chest, waist = top + 2.1 * head, foot - size * 0.45
    pen.polygon(
        [(x - shoulder, chest + 8), (x + shoulder, chest + 8), (x + hip, waist), (x - hip, waist)],
        fill=colour,
    )
    for side in (-1, 1):
        knee = x + side * size * 0.07
        pen.line(
            [(x + side * hip * 0.6, waist - 4), (knee, foot)], fill=colour, width=max(4, int(size * 0.075))
        )
        hand = x + side * size * canvas.between(0.17, 0.26)
        pen.line(
            [(x + side * shoulder * 0.9, chest + 12), (hand, waist + 6)],
            fill=colour,
            width=max(3, int(size * 0.05)),
        )
    if hat:
        pen.ellipse([x - 2.1 * head, top + 0.2 * head, x + 2.1 * head, top + 0.9 * head], fill=colour)
        pen.rectangle([x - 1.1 * head, top - 0.8 * head, x + 1.1 * head, top + 0.5 * head], fill=colour)


def bust(canvas: Canvas, x: float, y: float, size: float, skin: Colour, hair: Colour, side: int) -> None:
    """Head and shoulders at (x, y), lit from ``side`` (-1 left, 1 right)."""
    pen = canvas.pen
    pen.polygon(
        [(x - size, y + 2.1 * size), (x - 0.8 * size, y + 1.15 * size), (x, y + 0.8 * size),
         (x + 0.8 * size, y + 1.15 * size), (x + size, y + 2.1 * size)], fill=hair,
    )  # fmt: skip
    pen.rectangle([x - 0.2 * size, y + 0.4 * size, x + 0.2 * size, y + 1.05 * size], fill=skin)
    pen.ellipse([x - 0.62 * size, y - 0.92 * size, x + 0.62 * size, y + 0.4 * size], fill=hair)
    pen.ellipse([x - 0.48 * size, y - 0.65 * size, x + 0.48 * size, y + 0.72 * size], fill=skin)
    shade = [x - 0.48 * size, y - 0.65 * size, x + 0.48 * size, y + 0.72 * size]
    pen.chord(shade, 90 if side > 0 else -90, 270 if side > 0 else 90, fill=(10, 8, 16, 120))
    for eye in (-0.19, 0.19):
        pen.ellipse(
            [x + (eye - 0.06) * size, y - 0.04 * size, x + (eye + 0.06) * size, y + 0.04 * size], fill=hair
        )
    pen.arc(
        [x - 0.2 * size, y + 0.2 * size, x + 0.2 * size, y + 0.45 * size],
        20,
        160,
        fill=(120, 30, 30),
        width=3,
    )


def skyline(canvas: Canvas, base: float, colour: Colour, window: Colour, tall: float) -> None:
    """A row of buildings, some windows lit, standing on ``base``."""
    x, pen = 0.0, canvas.pen
    while x < WIDTH:
        width, height = canvas.between(34, 74), canvas.between(0.35, 1) * tall
        pen.rectangle([x, base - height, x + width, HEIGHT], fill=colour)
        for wy in np.arange(base - height + 10, base - 8, 16):
            for wx in np.arange(x + 6, x + width - 8, 12):
                if canvas.rng.random() < 0.3:
                    pen.rectangle([wx, wy, wx + 5, wy + 8], fill=window)
        x += width + 2


def hills(canvas: Canvas, base: float, rough: float, colour: Colour) -> None:
    """A ridge across the poster, filled down to its foot; ``rough`` in pixels."""
    xs = np.linspace(0, WIDTH, 60)
    waves = sum(
        np.sin(xs / WIDTH * math.tau * f + canvas.between(0, math.tau)) * rough / f
        for f in (1, 2.3, 4.7, 9.1)
    )
    edge = [(float(x), float(base + w)) for x, w in zip(xs, np.asarray(waves), strict=True)]
    canvas.pen.polygon([*edge, (WIDTH, HEIGHT), (0, HEIGHT)], fill=colour)


def stars(canvas: Canvas, n: int, lowest: float) -> None:
    """``n`` points of light above ``lowest``."""
    for _ in range(n):
        x, y, r = canvas.between(0, WIDTH), canvas.between(0, lowest), canvas.between(0.4, 1.9)
        canvas.pen.ellipse([x - r, y - r, x + r, y + r], fill=(255, 255, 255, int(canvas.between(90, 255))))


def bare_tree(canvas: Canvas, x: float, foot: float, size: float, colour: Colour) -> None:
    """A leafless tree."""

    def branch(at: tuple[float, float], angle: float, length: float, depth: int) -> None:
        end = (at[0] + math.cos(angle) * length, at[1] - math.sin(angle) * length)
        canvas.pen.line([at, end], fill=colour, width=max(1, int(depth * 1.8)))
        if depth > 1:
            for turn in (-1, 1):
                branch(
                    end,
                    angle + turn * canvas.between(0.25, 0.75),
                    length * canvas.between(0.6, 0.8),
                    depth - 1,
                )

    branch((x, foot), math.pi / 2 + canvas.between(-0.15, 0.15), size * 0.3, 6)


def burst(
    canvas: Canvas, centre: tuple[float, float], radius: float, colour: Colour, points: int = 18
) -> None:
    """A jagged star, as explosions are drawn."""
    ring = []
    for i in range(points * 2):
        reach = radius * (canvas.between(0.85, 1.15) if i % 2 == 0 else canvas.between(0.4, 0.6))
        angle = math.pi * i / points
        ring.append((centre[0] + math.cos(angle) * reach, centre[1] + math.sin(angle) * reach))
    canvas.pen.polygon(ring, fill=colour)
