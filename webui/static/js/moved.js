// Controls can be moved before the script of their page runs, and a browser that goes back puts them where they were.

/** Whether a control stands elsewhere than the page set it. */
export function wasMoved(control) {
  if (control instanceof HTMLSelectElement) {
    const given = [...control.options].findIndex((option) => option.defaultSelected);
    return control.selectedIndex !== Math.max(given, 0);
  }
  if (!(control instanceof HTMLInputElement)) return false;
  if (["checkbox", "radio"].includes(control.type)) return control.checked !== control.defaultChecked;
  if (control.type !== "range") return control.value !== control.defaultValue;
  // A slider rounds what it was given to whole steps.
  return Math.abs(control.value - control.defaultValue) >= (Number(control.step) || 1);
}
