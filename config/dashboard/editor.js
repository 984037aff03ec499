'use strict';
/* Adding, changing and removing a frontend. */

const editor = {
  /** The key that is edited; null for a new one. @type {string | null} */
  key: null,
  isBusy: false,
};

/** @param {string} id */
function dialog(id) {
  return /** @type {HTMLDialogElement} */ (part(id));
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (part(id));
}

/**
 * Opens the editor with what the store holds now, or, without a key, empty.
 * @param {string | null} key
 */
async function edit(key) {
  say(part('frontends-fault'), '');
  part('frontends-fault').hidden = true;
  try {
    const frontend = key === null ? null : await askFrontend(key);
    editor.key = key;
    fillEditor(frontend);
    dialog('editor').showModal();
    (key === null ? field('edit-host') : field('edit-name')).focus();
  } catch (error) {
    say(part('frontends-fault'), `${key} cannot be edited: ${reasonOf(error)}`);
    part('frontends-fault').hidden = false;
    throw error;
  }
}

/** @param {FrontendAnswer | null} frontend */
function fillEditor(frontend) {
  say(part('editor-title'), frontend === null ? 'New frontend' : `Edit ${frontend.key}`);
  say(part('editor-fault'), '');
  const host = field('edit-host');
  host.value = frontend?.key ?? '';
  host.readOnly = frontend !== null;
  field('edit-name').value = frontend?.name ?? '';
  part('delete-frontend').hidden = frontend === null;
  part('edit-backends').replaceChildren();
  for (const { url } of frontend?.backends ?? []) addBackend(url);
  if (frontend === null || frontend.backends.length === 0) addBackend('');
}

/** @param {string} url */
function addBackend(url) {
  const list = part('edit-backends');
  const input = /** @type {HTMLInputElement} */ (
    make('input', {
      type: 'text',
      class: 'name',
      placeholder: 'http://10.0.0.1:80',
      autocomplete: 'off',
      spellcheck: 'false',
    })
  );
  input.value = url;
  list.append(make('li', {}, input, button('remove-backend', 'Remove')));
  numberBackends();
  return input;
}

/** @param {Element} pressed the button beside it */
function removeBackend(pressed) {
  const item = pressed.closest('li');
  const next = item?.nextElementSibling ?? item?.previousElementSibling;
  item?.remove();
  numberBackends();
  // Who removes by keyboard stays in the list.
  (next?.querySelector('button') ?? part('add-backend')).focus();
}

/** Each field is called by its place, which is the backend's id. */
function numberBackends() {
  for (const [id, item] of [...part('edit-backends').children].entries()) {
    item.querySelector('input')?.setAttribute('aria-label', `Backend ${id}`);
    item.querySelector('button')?.setAttribute('aria-label', `Remove backend ${id}`);
  }
}

/** Why this cannot be a backend, or null. The router is stricter; this catches what one mistypes. @param {string} url */
function slipIn(url) {
  return /^https?:\/\/[^/\s]/i.test(url) && URL.canParse(url) ? null : `“${url}” is not http://HOST:PORT`;
}

async function saveFrontend() {
  const host = field('edit-host');
  const key = host.value.trim();
  const inputs = [...part('edit-backends').querySelectorAll('input')].filter(({ value }) => value.trim() !== '');
  const backends = inputs.map(({ value }) => value.trim());
  if (key === '') return refuse('A frontend needs a host: www.example.com, *.example.com or *', host);
  for (const input of inputs) {
    const slip = slipIn(input.value.trim());
    if (slip !== null) return refuse(slip, input);
  }
  if (backends.length === 0) return refuse('A frontend needs a backend, or nobody is served.', part('add-backend'));
  await change(async () => {
    await putFrontend(key, { name: field('edit-name').value.trim(), backends });
    return `${key} is saved`;
  });
}

/**
 * @param {string} text
 * @param {HTMLElement} culprit
 */
function refuse(text, culprit) {
  say(part('editor-fault'), text);
  culprit.focus();
}

async function confirmDeletion() {
  say(
    part('confirm-text'),
    `Delete ${editor.key}? Requests for it are refused from then on, unless a wildcard matches.`,
  );
  dialog('confirm').showModal();
}

async function deleteEdited() {
  const { key } = editor;
  dialog('confirm').close();
  if (key === null) return;
  await change(async () => {
    await deleteFrontend(key);
    return `${key} is deleted`;
  });
}

/** @param {() => Promise<string>} action resolves to what has been done, in words */
async function change(action) {
  // Whoever presses twice means it once.
  if (editor.isBusy) return;
  editor.isBusy = true;
  try {
    const done = await action();
    dialog('editor').close();
    announce(done);
    refreshRoutes();
  } catch (error) {
    say(part('editor-fault'), reasonOf(error));
    if (isLocked(error)) dialog('editor').close();
    throw error;
  } finally {
    editor.isBusy = false;
  }
}
