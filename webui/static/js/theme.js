// Runs before the first paint, so that a remembered theme does not flash the other one.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("onesheet-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off; the system's theme is then right.
}
