/** Commands for redis-cli that the operator can copy. */
import { announce, button, make, setText } from './elements.ts';

/** How long a button says that it has copied, ms. */
const COPIED_MS = 2000;

/** Each line of an advice with a button that copies it; null without advice. */
export function adviceLines(advice: string): HTMLElement | null {
  if (advice === '') return null;
  const lines = advice.split('\n').map((line) => {
    return make('li', {}, make('code', {}, line), ' ', copyButton(line));
  });
  return make('ul', { class: 'advice' }, ...lines);
}

/** The text that was copied last, and what its buttons say for now; null when that is over. */
let latest: { readonly text: string; readonly label: string } | null = null;

/** A button that copies a text. Lists are rendered again while it says that it has. */
function copyButton(text: string): HTMLButtonElement {
  return button('copy', labelOf(text), { class: 'copy', 'data-text': text, 'aria-label': `Copy ${text}` });
}

function labelOf(text: string): string {
  return latest?.text === text ? latest.label : 'Copy';
}

/** Copies the text of a button. */
export async function copyFrom(pressed: HTMLElement): Promise<void> {
  const text = pressed.dataset['text'] ?? '';
  const isCopied = await copied(text);
  announce(isCopied ? 'Copied' : 'The browser does not allow copying');
  const said = { text, label: isCopied ? 'Copied' : 'Not allowed' };
  latest = said;
  showLabels();
  setTimeout(() => {
    if (latest === said) latest = null;
    showLabels();
  }, COPIED_MS);
}

function showLabels(): void {
  for (const each of document.querySelectorAll<HTMLElement>('[data-action="copy"]')) {
    setText(each, labelOf(each.dataset['text'] ?? ''));
  }
}

async function copied(text: string): Promise<boolean> {
  // Browsers have it only for https and for this machine.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard === undefined) return copiedBySelection(text);
  try {
    await clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

/** The way that works without https. */
function copiedBySelection(text: string): boolean {
  const field = make('textarea', { class: 'unseen', 'aria-hidden': 'true' });
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  // oxlint-disable-next-line typescript/no-deprecated -- browsers have no other way for pages by http
  const isCopied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}
