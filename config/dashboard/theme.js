'use strict';
/* Light, dark, or as the system has it. In the head of the page, so that nothing flashes. */

const THEME_KEY = 'hipache.theme';
const THEMES = ['system', 'light', 'dark'];

/** @param {string} theme */
function wear(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** @returns {string} */
function currentTheme() {
  return document.documentElement.dataset.theme ?? 'system';
}

function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length] ?? 'system';
  wear(theme);
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Forgotten with the page.
  }
}

try {
  const kept = localStorage.getItem(THEME_KEY);
  if (kept !== null && THEMES.includes(kept)) wear(kept);
} catch {
  // A browser that keeps nothing.
}
