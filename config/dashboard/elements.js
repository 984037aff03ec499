'use strict';
/*
 * Elements from data. Names, URLs and messages are a stranger's: they become text nodes and attributes, and nothing here
 * parses markup. What is shown is drawn anew from what is known, and changes what stands there as little as it can, so
 * that focus, selection and scroll positions stay.
 */

/** @typedef {Node | string | number | null | false} Part */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes null, undefined and false leave one out */

/**
 * @param {Element} element
 * @param {Attributes} attributes
 * @param {readonly Part[]} parts
 */
function furnish(element, attributes, parts) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const each of parts) {
    if (each !== null && each !== false) element.append(typeof each === 'number' ? String(each) : each);
  }
}

/**
 * An element of HTML. `data-row` names one among its siblings, whatever place it has.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Part} parts
 * @returns {HTMLElement}
 */
function make(tag, attributes = {}, ...parts) {
  const element = document.createElement(tag);
  furnish(element, attributes, parts);
  return element;
}

/**
 * An element of SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Part} parts
 * @returns {SVGElement}
 */
function draw(tag, attributes = {}, ...parts) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  furnish(element, attributes, parts);
  return element;
}

/**
 * A button that says what it does: `page.js` has a function for each action.
 * @param {string} action
 * @param {string} label
 * @param {Attributes} [attributes]
 */
function button(action, label, attributes = {}) {
  return make('button', { type: 'button', 'data-action': action, ...attributes }, label);
}

/**
 * A table that is a list of cards on phones. It is none for the browser then; the roles say that it still is.
 * @param {string} caption
 * @param {readonly HTMLElement[]} titles `th` elements
 * @param {readonly HTMLElement[]} rows
 */
function cards(caption, titles, rows) {
  return make(
    'table',
    { class: 'cards', role: 'table' },
    make('caption', { class: 'unseen' }, caption),
    make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...titles)),
    make('tbody', { role: 'rowgroup' }, ...rows),
  );
}

/**
 * The head of a column of such a table.
 * @param {string} title
 * @param {{ isNumber?: boolean }} [how]
 */
function column(title, { isNumber = false } = {}) {
  return make('th', { scope: 'col', role: 'columnheader', class: isNumber ? 'number' : null }, title);
}

/**
 * The element of page.html with this id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
function part(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`page.html has no #${id}`);
  return /** @type {T} */ (element);
}

/**
 * Makes these parts what stands in a place.
 * @param {Element} place
 * @param {...Part} parts
 */
function show(place, ...parts) {
  const wanted = make('div', {}, ...parts);
  settle(place, [...wanted.childNodes]);
}

/**
 * Says something in a place.
 * @param {Element} place
 * @param {string} text
 */
function say(place, text) {
  // A live region is read out again when it is written to, changed or not.
  if (place.textContent !== text) place.textContent = text;
}

/** @param {Node | null} node */
function rowOf(node) {
  return node instanceof Element ? node.getAttribute('data-row') : null;
}

/**
 * @param {Element} place
 * @param {readonly ChildNode[]} wanted
 */
function settle(place, wanted) {
  const kept = new Set(wanted.map(rowOf));
  /** @type {Map<string, ChildNode>} */
  const rows = new Map();
  // A list of its own: the element's one changes under the loop.
  for (const child of Array.from(place.childNodes)) {
    const row = rowOf(child);
    if (row === null) continue;
    if (kept.has(row)) rows.set(row, child);
    // Removed before anything is moved: moving an element takes the focus from it.
    else child.remove();
  }
  let at = place.firstChild;
  for (const node of wanted) {
    const row = rowOf(node);
    const twin = row === null ? at : (rows.get(row) ?? null);
    if (twin === null || twin.nodeName !== node.nodeName || rowOf(twin) !== row) {
      place.insertBefore(node, at);
      continue;
    }
    if (twin === at) at = at.nextSibling;
    else place.insertBefore(twin, at);
    become(twin, node);
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/**
 * @param {Node} node
 * @param {Node} wanted
 */
function become(node, wanted) {
  if (!(node instanceof Element) || !(wanted instanceof Element)) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  for (const { name } of Array.from(node.attributes)) {
    // Whether details are open is the reader's to say.
    if (!wanted.hasAttribute(name) && name !== 'open') node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  settle(node, [...wanted.childNodes]);
}

/** @type {string[]} */
const unsaid = [];

/**
 * Tells those who do not see the page what has changed. Much at once becomes one sentence.
 * @param {string} text
 */
function announce(text) {
  unsaid.push(text);
  if (unsaid.length > 1) return;
  setTimeout(() => {
    const [first = '', ...others] = unsaid.splice(0);
    say(part('announcer'), others.length === 0 ? first : `${first}, and ${others.length} more changes`);
  }, 700);
}
