/**
 * Builds elements from data. Names, URLs and messages come from outside: they become text nodes and attributes, and
 * nothing here parses markup. Each update builds a whole section; `render` then changes the elements that are there as
 * little as it can, so that focus, selection and scroll positions stay.
 */

/** Null and false leave a part out. */
export type Part = Node | string | number | null | false;
/** Null, undefined and false leave an attribute out. */
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An element of HTML. `data-row` identifies one among its siblings when their order changes. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...parts: readonly Part[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  fill(element, attributes, parts);
  return element;
}

/** An element of SVG. */
export function draw<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...parts: readonly Part[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(element, attributes, parts);
  return element;
}

function fill(element: Element, attributes: Attributes, parts: readonly Part[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const each of parts) {
    if (each !== null && each !== false) element.append(typeof each === 'number' ? String(each) : each);
  }
}

/** A button. `page.ts` has a function for each action. */
export function button(action: string, label: string, attributes: Attributes = {}): HTMLButtonElement {
  return make('button', { type: 'button', 'data-action': action, ...attributes }, label);
}

/**
 * A table that the style sheet turns into a list of cards on phones. Browsers then no longer treat it as a table; the
 * roles keep it one for screen readers.
 */
export function cards(
  caption: string,
  titles: readonly HTMLTableCellElement[],
  rows: readonly HTMLTableRowElement[],
): HTMLTableElement {
  return make(
    'table',
    { class: 'cards', role: 'table' },
    make('caption', { class: 'unseen' }, caption),
    make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...titles)),
    make('tbody', { role: 'rowgroup' }, ...rows),
  );
}

/** The head of a column of such a table. */
export function column(title: string, { isNumber = false } = {}): HTMLTableCellElement {
  return make('th', { scope: 'col', role: 'columnheader', class: isNumber ? 'number' : null }, title);
}

/** The element of page.html with this id. */
export function byId(id: string): HTMLElement {
  return typed(id, HTMLElement);
}

export function field(id: string): HTMLInputElement {
  return typed(id, HTMLInputElement);
}

export function select(id: string): HTMLSelectElement {
  return typed(id, HTMLSelectElement);
}

export function dialog(id: string): HTMLDialogElement {
  return typed(id, HTMLDialogElement);
}

function typed<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`page.html has no ${type.name} #${id}`);
  return element;
}

/** Makes these parts the content of an element. */
export function render(element: Element, ...parts: readonly Part[]): void {
  const wanted = make('div', {}, ...parts);
  reconcile(element, [...wanted.childNodes]);
}

export function setText(element: Element, text: string): void {
  // A screen reader reads a live region again on each write, changed or not.
  if (element.textContent !== text) element.textContent = text;
}

/** Sets the text of an error message, and hides the element when there is none. */
export function setFault(element: HTMLElement, text: string | null): void {
  setText(element, text ?? '');
  element.hidden = text === null;
}

function rowOf(node: Node | null): string | null {
  return node instanceof Element ? node.getAttribute('data-row') : null;
}

/** Changes the children of an element into these: by their rows, others by their order. */
function reconcile(parent: Element, wanted: readonly ChildNode[]): void {
  const wantedRows = new Set(wanted.map(rowOf));
  const rows = new Map<string, ChildNode>();
  // A copy: the loop changes the element's own list.
  for (const child of Array.from(parent.childNodes)) {
    const row = rowOf(child);
    if (row === null) continue;
    if (wantedRows.has(row)) rows.set(row, child);
    // Removed before any is moved: an element that is moved loses the focus.
    else child.remove();
  }
  let next = parent.firstChild;
  for (const node of wanted) {
    const row = rowOf(node);
    const old = row === null ? next : (rows.get(row) ?? null);
    if (old === null || old.nodeName !== node.nodeName || rowOf(old) !== row) {
      parent.insertBefore(node, next);
      continue;
    }
    if (old === next) next = next.nextSibling;
    else parent.insertBefore(old, next);
    update(old, node);
  }
  while (next !== null) {
    const rest = next.nextSibling;
    next.remove();
    next = rest;
  }
}

function update(node: Node, wanted: Node): void {
  if (!(node instanceof Element) || !(wanted instanceof Element)) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of Array.from(node.attributes)) {
    // The reader opens and closes details; an update leaves them as they are.
    if (!wanted.hasAttribute(name) && name !== 'open') node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  reconcile(node, [...wanted.childNodes]);
}

/** How long announcements are collected, ms. */
const ANNOUNCE_AFTER_MS = 700;
const announcements: string[] = [];

/** Announces a change to screen readers. Several within a short time become one sentence. */
export function announce(text: string): void {
  announcements.push(text);
  if (announcements.length > 1) return;
  setTimeout(() => {
    const [first = '', ...others] = announcements.splice(0);
    setText(byId('announcer'), others.length === 0 ? first : `${first}, and ${others.length} more changes`);
  }, ANNOUNCE_AFTER_MS);
}
