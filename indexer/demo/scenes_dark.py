"""Scenes of the night genres: horror, science fiction, crime, war, action, fantasy."""

from __future__ import annotations

import math

import numpy as np

from indexer.demo.canvas import HEIGHT, WIDTH, Canvas, blank, letter
from indexer.demo.figures import bare_tree, burst, hills, person, skyline, stars


def horror(rng: np.random.Generator, title: str) -> Canvas:
    """A house or an eye in the dark, dead trees, a bleeding title."""
    canvas = blank([(6, 6, 12), (26, 12, 26), (60, 8, 10)], rng)
    moon = (canvas.between(140, 340), canvas.between(150, 250))
    canvas.glow(moon, 260, (150, 20, 16), 0.8)
    pen, r = canvas.pen, canvas.between(50, 95)
    pen.ellipse([moon[0] - r, moon[1] - r, moon[0] + r, moon[1] + r], fill=(214, 190, 160))
    if rng.random() < 0.5:
        pen.ellipse(
            [moon[0] - r * 0.5, moon[1] - r * 0.5, moon[0] + r * 0.5, moon[1] + r * 0.5], fill=(120, 12, 10)
        )
        pen.ellipse(
            [moon[0] - r * 0.2, moon[1] - r * 0.2, moon[0] + r * 0.2, moon[1] + r * 0.2], fill=(0, 0, 0)
        )
    hills(canvas, 520, 22, (5, 4, 7))
    x = canvas.between(130, 300)
    pen.polygon([(x - 60, 540), (x - 60, 400), (x, 340), (x + 60, 400), (x + 60, 540)], fill=(2, 2, 4))
    pen.rectangle([x - 32, 430, x - 16, 460], fill=(255, 190, 60))
    for _ in range(int(rng.integers(2, 5))):
        bare_tree(canvas, canvas.between(0, WIDTH), 560, canvas.between(250, 420), (3, 3, 5))
    letter(canvas, title.upper(), "serif-bold", (30, 575, 450, 690), (196, 14, 14))
    for _ in range(14):
        drip = canvas.between(60, 420)
        pen.line([(drip, 640), (drip, 640 + canvas.between(10, 60))], fill=(196, 14, 14), width=3)
    return canvas


def science_fiction(rng: np.random.Generator, title: str) -> Canvas:
    """A ringed world over a horizon grid, a ship, wide letters."""
    canvas = blank([(3, 5, 20), (10, 24, 60), (16, 70, 110)], rng)
    stars(canvas, 220, 560)
    x, y, r = canvas.between(120, 360), canvas.between(200, 330), canvas.between(80, 150)
    canvas.glow((x, y), r * 2, (60, 160, 230), 0.7)
    pen = canvas.pen
    for step in range(24):
        shrink = r * (1 - step / 30)
        tone = (30 + 6 * step, 60 + 6 * step, 110 + 5 * step)
        pen.ellipse(
            [
                x - shrink - step * 1.5,
                y - shrink - step * 1.5,
                x + shrink - step * 1.5,
                y + shrink - step * 1.5,
            ],
            fill=tone,
        )
    if rng.random() < 0.6:
        pen.arc([x - 1.8 * r, y - 0.5 * r, x + 1.8 * r, y + 0.5 * r], -20, 200, fill=(200, 220, 240), width=7)
    for i in range(12):
        pen.line([(WIDTH / 2, 500), (WIDTH * (i - 3) / 5, HEIGHT)], fill=(40, 220, 230, 120), width=2)
        row = 500 + (i / 11) ** 2 * 220
        pen.line([(0, row), (WIDTH, row)], fill=(40, 220, 230, 120), width=2)
    ship = (canvas.between(90, 390), canvas.between(420, 480))
    pen.polygon(
        [
            (ship[0], ship[1] - 40),
            (ship[0] + 26, ship[1] + 26),
            (ship[0], ship[1] + 12),
            (ship[0] - 26, ship[1] + 26),
        ],
        fill=(230, 236, 240),
    )
    canvas.glow((ship[0], ship[1] + 34), 46, (90, 220, 255), 0.9)
    letter(canvas, "  ".join(title.upper().split()), "mono", (24, 30, 456, 130), (214, 244, 255))
    return canvas


def crime(rng: np.random.Generator, title: str) -> Canvas:
    """A lamp-lit street, a hat, a city that watches."""
    canvas = blank([(18, 18, 20), (44, 42, 44), (12, 12, 14)], rng)
    skyline(canvas, 520, (10, 10, 12), (240, 206, 110), 420)
    lamp = canvas.between(80, 400)
    beam = [(lamp, 150), (lamp - 150, 690), (lamp + 150, 690)]
    canvas.pen.polygon(beam, fill=(250, 226, 150, 70))
    canvas.pen.rectangle([lamp - 3, 150, lamp + 3, 690], fill=(4, 4, 4))
    person(canvas, lamp + canvas.between(-40, 40), 660, canvas.between(230, 330), (4, 4, 5), hat=True)
    colour = [(226, 200, 60), (220, 40, 40), (235, 235, 230)][int(rng.integers(3))]
    letter(canvas, title.upper(), "roman", (24, 24, 456, 140), colour)
    return canvas


def war(rng: np.random.Generator, title: str) -> Canvas:
    """A burning horizon, a line of soldiers, planes."""
    canvas = blank([(70, 72, 56), (160, 130, 80), (196, 110, 50)], rng)
    canvas.glow((canvas.between(80, 400), 450), 260, (255, 190, 90), 0.9)
    hills(canvas, 470, 26, (60, 54, 36))
    hills(canvas, 540, 16, (30, 28, 20))
    n = int(rng.integers(3, 7))
    for i in range(n):
        x, size = 60 + i * 360 / max(n - 1, 1), canvas.between(130, 190)
        person(canvas, x, 590 + canvas.between(-12, 12), size, (14, 13, 10))
        canvas.pen.line([(x + 10, 590 - size * 0.9), (x + 34, 590 - size * 0.4)], fill=(14, 13, 10), width=5)
    for _ in range(int(rng.integers(2, 6))):
        x, y, s = canvas.between(40, 440), canvas.between(160, 330), canvas.between(12, 30)
        canvas.pen.polygon([(x - s, y), (x + s, y - 4), (x + s, y + 4)], fill=(34, 34, 28))
        canvas.pen.line([(x, y - s * 0.7), (x, y + s * 0.7)], fill=(34, 34, 28), width=5)
    letter(canvas, title.upper(), "mono", (24, 30, 456, 130), (240, 226, 180))
    return canvas


def action(rng: np.random.Generator, title: str) -> Canvas:
    """A man walking out of an explosion, slanted bars, oblique letters."""
    canvas = blank([(20, 22, 30), (120, 30, 10), (250, 140, 20)], rng)
    centre = (canvas.between(150, 330), canvas.between(280, 380))
    canvas.glow(centre, 380, (255, 190, 60), 1.0)
    for reach, tone in ((230, (240, 90, 10)), (160, (255, 170, 30)), (90, (255, 240, 170))):
        burst(canvas, centre, reach, tone)
    for i in range(7):
        x = -100 + i * 110 + canvas.between(-20, 20)
        canvas.pen.polygon([(x, 720), (x + 18, 720), (x + 200, 0), (x + 182, 0)], fill=(0, 0, 0, 60))
    skyline(canvas, 690, (14, 14, 18), (255, 150, 40), 180)
    person(canvas, WIDTH / 2 + canvas.between(-60, 60), 640, canvas.between(330, 420), (10, 10, 12))
    canvas.pen.rectangle([0, 640, WIDTH, HEIGHT], fill=(8, 8, 10))
    letter(canvas, title.upper(), "oblique", (20, 646, 460, 716), (255, 214, 60))
    return canvas


def fantasy(rng: np.random.Generator, title: str) -> Canvas:
    """A castle on a crag under a violet sky, a winged shape, a sword of light."""
    canvas = blank([(30, 16, 70), (110, 60, 140), (230, 150, 120)], rng)
    stars(canvas, 90, 300)
    canvas.glow((WIDTH / 2, 330), 300, (255, 220, 160), 0.7)
    hills(canvas, 430, 46, (70, 44, 96))
    x, pen = canvas.between(160, 320), canvas.pen
    pen.polygon([(x - 130, 620), (x - 50, 380), (x + 50, 380), (x + 130, 620)], fill=(28, 18, 46))
    for tower in (-52, -18, 20, 50):
        height = canvas.between(70, 150)
        pen.rectangle([x + tower - 12, 390 - height, x + tower + 12, 400], fill=(28, 18, 46))
        pen.polygon(
            [(x + tower - 16, 390 - height), (x + tower, 350 - height), (x + tower + 16, 390 - height)],
            fill=(28, 18, 46),
        )
    hills(canvas, 590, 20, (16, 10, 28))
    wing, y = canvas.between(60, 420), canvas.between(150, 220)
    for side in (-1, 1):
        pen.polygon(
            [
                (wing, y),
                (wing + side * 74, y - 44),
                (wing + side * 54, y + 6),
                (wing + side * 30, y - 2),
                (wing + side * 16, y + 18),
            ],
            fill=(20, 10, 30),
        )
    for i in range(10):
        angle = math.tau * i / 10
        pen.line(
            [(wing, y), (wing + math.cos(angle) * 8, y + math.sin(angle) * 8)], fill=(255, 230, 170), width=2
        )
    letter(canvas, title, "serif-bold", (24, 24, 456, 128), (255, 232, 170))
    return canvas
