// Dark or light, before anything is painted. The choice is the browser's unless a person made one here.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("sandbox-theme"); } catch { /* storage may be forbidden: then there is no choice */ }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
