"""Scenes of the day genres: romance, western, animation, drama, comedy, documentary, music."""

from __future__ import annotations

import colorsys
import math

import numpy as np

from indexer.demo.canvas import HEIGHT, WIDTH, Canvas, Colour, blank, letter
from indexer.demo.figures import bust, hills, person


def _vivid(rng: np.random.Generator, value: float = 0.95, saturation: float = 0.75) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(float(rng.random()), saturation, value)
    return (int(r * 255), int(g * 255), int(b * 255))


def romance(rng: np.random.Generator, title: str) -> Canvas:
    """Two faces close together in evening light, petals, a slender title."""
    canvas = blank([(250, 214, 200), (244, 170, 170), (196, 120, 150)], rng)
    canvas.glow((WIDTH / 2, 260), 330, (255, 246, 220), 0.9)
    size = canvas.between(120, 150)
    skins = [(236, 190, 160), (196, 140, 104), (120, 80, 58)]
    bust(canvas, WIDTH / 2 - size * 0.62, 330, size, skins[int(rng.integers(3))], (70, 40, 30), 1)
    bust(canvas, WIDTH / 2 + size * 0.62, 300, size, skins[int(rng.integers(3))], (30, 22, 24), -1)
    for _ in range(26):
        x, y, r = canvas.between(0, WIDTH), canvas.between(0, HEIGHT), canvas.between(4, 11)
        canvas.pen.ellipse([x - r, y - r * 0.6, x + r, y + r * 0.6], fill=(220, 60, 90, 150))
    canvas.pen.rectangle([0, 600, WIDTH, HEIGHT], fill=(255, 244, 236, 200))
    letter(canvas, title, "script", (30, 606, 450, 704), (150, 30, 66))
    return canvas


def western(rng: np.random.Generator, title: str) -> Canvas:
    """A low sun, mesas, a rider without a horse, slab letters."""
    canvas = blank([(250, 190, 90), (236, 120, 50), (150, 56, 30)], rng)
    sun, pen = canvas.between(120, 360), canvas.pen
    pen.ellipse([sun - 100, 250, sun + 100, 450], fill=(255, 232, 160))
    for _ in range(3):
        x, w, top = canvas.between(-40, 420), canvas.between(80, 170), canvas.between(330, 410)
        pen.polygon([(x, 470), (x + 16, top), (x + w - 16, top), (x + w, 470)], fill=(130, 46, 26))
    hills(canvas, 480, 10, (90, 34, 20))
    person(canvas, sun + canvas.between(-50, 50), 620, canvas.between(250, 320), (24, 12, 8), hat=True)
    for _ in range(int(rng.integers(1, 4))):
        x, h = canvas.between(20, 460), canvas.between(80, 150)
        pen.rounded_rectangle([x - 11, 600 - h, x + 11, 610], 11, fill=(36, 30, 14))
        pen.rounded_rectangle([x + 8, 600 - h * 0.7, x + 36, 612 - h * 0.6], 8, fill=(36, 30, 14))
        pen.rounded_rectangle([x + 24, 600 - h * 0.9, x + 38, 612 - h * 0.6], 7, fill=(36, 30, 14))
    letter(canvas, title.upper(), "serif-bold", (24, 24, 456, 200), (96, 22, 10))
    return canvas


def animation(rng: np.random.Generator, title: str) -> Canvas:
    """Round creatures with big eyes under a candy sky, dancing letters."""
    sky = _vivid(rng, 1.0, 0.45)
    canvas = blank([sky, (255, 255, 240)], rng)
    pen = canvas.pen
    pen.ellipse([-120, 470, WIDTH + 120, 1100], fill=(110, 206, 90))
    for _ in range(4):
        x, y = canvas.between(0, WIDTH), canvas.between(40, 260)
        for dx in (-34, 0, 34):
            pen.ellipse([x + dx - 32, y - 22, x + dx + 32, y + 22], fill=(255, 255, 255, 220))
    for i in range(int(rng.integers(2, 5))):
        x, r, y = 90 + i * 105, canvas.between(46, 92), canvas.between(430, 560)
        colour = _vivid(rng)
        for ear in (-1, 1):
            pen.ellipse(
                [x + ear * r * 0.75 - r * 0.3, y - r * 1.3, x + ear * r * 0.75 + r * 0.3, y - r * 0.5],
                fill=colour,
            )
        pen.ellipse([x - r, y - r, x + r, y + r], fill=colour, outline=(40, 30, 50), width=4)
        for eye in (-0.34, 0.34):
            pen.ellipse(
                [x + (eye - 0.26) * r, y - 0.5 * r, x + (eye + 0.26) * r, y + 0.1 * r], fill=(255, 255, 255)
            )
            pen.ellipse(
                [x + (eye - 0.1) * r, y - 0.3 * r, x + (eye + 0.12) * r, y - 0.04 * r], fill=(20, 16, 30)
            )
        pen.chord([x - r * 0.4, y + r * 0.1, x + r * 0.4, y + r * 0.6], 0, 180, fill=(200, 40, 60))
    letter(canvas, title, "bold", (24, 40, 456, 260), _vivid(rng, 0.85, 0.9))
    return canvas


def drama(rng: np.random.Generator, title: str) -> Canvas:
    """One face, half in shadow, much air, small serif letters."""
    tones: list[list[Colour]] = [
        [(60, 74, 84), (140, 150, 150)],
        [(90, 70, 60), (190, 170, 150)],
        [(36, 44, 60), (110, 110, 120)],
    ]
    canvas = blank(tones[int(rng.integers(len(tones)))], rng)
    size = canvas.between(150, 200)
    side = int(rng.choice([-1, 1]))
    skin: Colour = [(214, 174, 150), (170, 120, 90), (104, 72, 54)][int(rng.integers(3))]
    bust(
        canvas,
        WIDTH / 2 + side * canvas.between(20, 70),
        canvas.between(270, 330),
        size,
        skin,
        (34, 26, 24),
        side,
    )
    canvas.pen.rectangle([0, 560, WIDTH, HEIGHT], fill=(16, 18, 22, 190))
    letter(canvas, title, "serif", (50, 580, 430, 690), (240, 236, 226))
    return canvas


def comedy(rng: np.random.Generator, title: str) -> Canvas:
    """People in a row on a plain ground, one out of line, big red letters."""
    canvas = blank([[(255, 255, 255), (255, 238, 120), (150, 214, 250)][int(rng.integers(3))]], rng)
    n = int(rng.integers(2, 6))
    odd = int(rng.integers(n))
    for i in range(n):
        x = WIDTH * (i + 1) / (n + 1)
        colour = _vivid(rng, 0.8)
        person(canvas, x, 690, canvas.between(300, 390) if i != odd else 210, colour)
        top = 690 - (340 if i != odd else 210)
        canvas.pen.chord([x - 14, top + 8, x + 14, top + 34], 0, 180, fill=(255, 255, 255))
    letter(canvas, title.upper(), "bold", (24, 24, 456, 250), (222, 24, 36))
    return canvas


def documentary(rng: np.random.Generator, title: str) -> Canvas:
    """A landscape as if photographed, a plain band, sober letters."""
    canvas = blank([(150, 180, 200), (210, 214, 206)], rng)
    for i, base in enumerate((300, 360, 430, 500)):
        tone = 150 - 34 * i
        hills(canvas, base, 34 - 5 * i, (tone - 20, tone, tone - 12))
    x, r = canvas.between(120, 360), canvas.between(40, 64)
    for ring in range(3):
        canvas.pen.ellipse(
            [x - r - 16 * ring, 150 - r - 16 * ring, x + r + 16 * ring, 150 + r + 16 * ring],
            outline=(255, 255, 255, 160),
            width=2,
        )
    canvas.pen.rectangle([0, 540, WIDTH, HEIGHT], fill=(244, 244, 240))
    canvas.pen.rectangle([40, 560, 110, 568], fill=(200, 60, 30))
    letter(canvas, title, "sans", (40, 574, 440, 660), (24, 24, 26))
    letter(canvas, "A DOCUMENTARY", "sans", (40, 668, 440, 700), (110, 110, 110))
    return canvas


def music(rng: np.random.Generator, title: str) -> Canvas:
    """A stage in crossing spotlights, a singer, notes in the air."""
    canvas = blank([(30, 8, 50), (120, 20, 90), (20, 6, 30)], rng)
    pen = canvas.pen
    for _ in range(5):
        x, aim = canvas.between(0, WIDTH), canvas.between(120, 360)
        pen.polygon([(x, 0), (aim - 70, 640), (aim + 70, 640)], fill=(*_vivid(rng, 1.0, 0.5), 60))
    pen.ellipse([-40, 600, WIDTH + 40, 760], fill=(16, 6, 24))
    x = canvas.between(180, 300)
    person(canvas, x, 650, 330, (8, 4, 14))
    pen.line([(x + 60, 650), (x + 60, 400), (x + 18, 372)], fill=(220, 220, 230), width=4)
    for _ in range(9):
        nx, ny, s = canvas.between(20, 460), canvas.between(150, 420), canvas.between(10, 18)
        tone = _vivid(rng, 1.0, 0.4)
        pen.ellipse([nx - s, ny - s * 0.7, nx + s, ny + s * 0.7], fill=tone)
        pen.line(
            [(nx + s - 2, ny), (nx + s - 2, ny - s * 3.4), (nx + s + 12, ny - s * 2.6)], fill=tone, width=4
        )
    angle = math.radians(canvas.between(-4, 4))
    canvas.image = canvas.image.rotate(math.degrees(angle), fillcolor=(20, 6, 30))
    letter(canvas, title.upper(), "serif-italic", (24, 24, 456, 130), (255, 220, 90))
    return canvas
