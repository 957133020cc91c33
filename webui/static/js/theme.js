// Runs before the first paint, so that a remembered theme does not flash the other one and a tray has its place.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("onesheet-theme");
  if (theme) document.documentElement.dataset.theme = theme;
  const tray = localStorage.getItem("onesheet-tray");
  if (tray && tray !== "[]") document.documentElement.classList.add("has-tray");
} catch {
  // Storage may be switched off; the system's theme is then right, and no tray was kept.
}
