// Light or dark as the visitor has chosen, before the first paint: a plain script in the head, since
// modules run too late for that. Everything else about settings is in settings.js.

try {
  const { theme } = JSON.parse(localStorage.getItem('weir.settings') ?? '{}');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden: then it is as the system says.
}
