/** The colour theme: light, dark, or the system's. */

const THEME_KEY = 'hipache.theme';
const THEMES = ['system', 'light', 'dark'];

export function currentTheme(): string {
  return document.documentElement.dataset['theme'] ?? 'system';
}

/** Switches to the next theme, and stores it for the next visit. */
export function nextTheme(): void {
  const theme = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length] ?? 'system';
  apply(theme);
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // The browser stores nothing: the theme lasts until the page is closed.
  }
}

/** Applies the theme of the last visit. */
export function restoreTheme(): void {
  try {
    const stored = localStorage.getItem(THEME_KEY);
    if (stored !== null && THEMES.includes(stored)) apply(stored);
  } catch {
    // The browser stores nothing.
  }
}

function apply(theme: string): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
