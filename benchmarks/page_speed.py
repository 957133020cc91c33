"""How quick the pages feel: bytes of the first page, slider to new order, frames of the map.

Drives headless Chromium against a server that runs, and prints JSON:

    onesheet serve --port 8000 &
    python benchmarks/page_speed.py http://127.0.0.1:8000

The map is fed 10,000 made points in 20 clusters, whatever the catalog holds;
``frame_script_ms`` is what the page's own script takes of each frame while the
map is dragged and scrolled (60 frames a second leave 16.7 ms); ``frames_per_second``
is how often the browser showed a new frame while it zoomed at every one.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys

import numpy as np
from playwright.sync_api import Page, Request, sync_playwright

N_POINTS = 10_000
N_MOVES = 20
N_FRAMES = 120
_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_TIME_FRAMES = """
    window.frameMs = [];
    const real = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (act) => real((now) => {
        const started = performance.now();
        act(now);
        window.frameMs.push(performance.now() - started);
    });
"""
# A promise that is never kept would leave Playwright waiting without a limit.
_PATIENCE_MS = 20_000
_SLIDE = """([share, patience]) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no new order within ${patience} ms`)), patience);
    const part = document.querySelector("#part");
    const slider = document.querySelector("#ink-visual");
    const started = performance.now();
    part.addEventListener("onesheet:cards", () => resolve(performance.now() - started), { once: true });
    slider.value = String(share);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
})"""
_ZOOM = """([n, patience]) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`fewer than ${n} frames within ${patience} ms`)), patience);
    const canvas = document.querySelector("#map canvas");
    const at = { clientX: 700, clientY: 500, bubbles: true, cancelable: true };
    const shown = [];
    const step = (now) => {
        shown.push(now);
        if (shown.length > n) return resolve(shown);
        canvas.dispatchEvent(new WheelEvent("wheel", { ...at, deltaY: shown.length % 80 < 40 ? -12 : 12 }));
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""


def first_page(page: Page, site: str) -> dict[str, float]:
    """Kilobytes of the wall without posters, and milliseconds until it can be used."""
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(site, wait_until="networkidle")
    n_bytes = sum(one.sizes()["responseBodySize"] for one in finished if "/posters/" not in one.url)
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    return {"kilobytes": round(n_bytes / 1000, 1), "usable_ms": round(ready, 1)}


def slider(page: Page, site: str) -> dict[str, float]:
    """Milliseconds from moving a slider to the new order."""
    page.goto(site)
    page.locator(".wall .sheet").first.click()
    page.locator(".results").wait_for()
    # The list is there before the script that listens to the sliders.
    page.wait_for_load_state("networkidle")
    times = [page.evaluate(_SLIDE, [5 * (i % N_MOVES), _PATIENCE_MS]) for i in range(1, N_MOVES + 1)]
    return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}


def poster_map(page: Page, site: str) -> dict[str, float]:
    """Milliseconds of script in each frame while the map of 10,000 points is moved."""
    body = json.dumps(made_points())
    page.route("**/api/v1/map", lambda route: route.fulfill(body=body, content_type="application/json"))
    page.route("**/posters/**", lambda route: route.abort())
    page.add_init_script(_TIME_FRAMES)
    page.goto(f"{site}/map")
    page.locator("#legend li").first.wait_for()
    box = page.locator("#map canvas").bounding_box()
    if box is None:
        raise SystemExit("the map has no canvas")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    for step in range(N_FRAMES):
        page.mouse.move(middle[0] + step % 60, middle[1] + step % 40)
    page.mouse.up()
    for _ in range(10):
        page.mouse.wheel(0, -120)
    times = page.evaluate("window.frameMs")
    shown = np.diff(page.evaluate(_ZOOM, [2 * N_FRAMES, _PATIENCE_MS]))
    return {
        "points": N_POINTS,
        "frames": len(times),
        "frame_script_ms_median": round(statistics.median(times), 2),
        "frame_script_ms_p99": round(float(np.percentile(times, 99)), 2),
        "frames_per_second": round(1000 / float(shown.mean()), 1),
        "frame_interval_ms_p99": round(float(np.percentile(shown, 99)), 1),
    }


def made_points() -> dict[str, object]:
    """The answer of ``GET /api/v1/map`` for made movies."""
    rng = np.random.default_rng(0)
    places = rng.random((20, 2))[rng.integers(0, 20, N_POINTS)] + rng.normal(0, 0.03, (N_POINTS, 2))
    xy = np.clip(places * 10_000, 0, 10_000).astype(int)
    return {
        "method": "made",
        "units": 10_000,
        "genres": [f"Genre {i}" for i in range(23)],
        "movie_ids": [f"made{i}" for i in range(N_POINTS)],
        "x": xy[:, 0].tolist(),
        "y": xy[:, 1].tolist(),
        "years": rng.integers(1920, 2025, N_POINTS).tolist(),
        "genre": rng.integers(-1, 23, N_POINTS).tolist(),
    }


def main(site: str) -> None:
    """Measure and print."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        results = {}
        for name, measure in (("first_page", first_page), ("slider", slider), ("map", poster_map)):
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            results[name] = measure(page, site.rstrip("/"))
        results["browser"] = browser.version
        browser.close()
    sys.stdout.write(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benchmarks/page_speed.py URL")
    main(sys.argv[1])
