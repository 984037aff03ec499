/** The dialog that adds, changes and deletes frontends. */
import type { FrontendView } from '../admin/answers.ts';
import { deleteFrontend, fetchFrontend, isUnauthorized, putFrontend, reasonOf } from './api.ts';
import { announce, button, byId, dialog, field, make, setFault, setText } from './elements.ts';
import { refreshRoutes } from './refresh-routes.ts';

interface Editor {
  /** The key of the frontend that is edited; null for a new one. */
  key: string | null;
  isSaving: boolean;
}

const editor: Editor = { key: null, isSaving: false };

/** Opens the editor for a new frontend. */
export function addFrontend(): void {
  setFault(byId('frontends-fault'), null);
  openEditor(null);
  field('edit-host').focus();
}

/** Opens the editor with what the store holds now. Rejects when it cannot be fetched. */
export async function editFrontend(key: string): Promise<void> {
  const fault = byId('frontends-fault');
  setFault(fault, null);
  try {
    openEditor(await fetchFrontend(key));
    field('edit-name').focus();
  } catch (error) {
    setFault(fault, `${key} cannot be edited: ${reasonOf(error)}`);
    throw error;
  }
}

function openEditor(frontend: FrontendView | null): void {
  editor.key = frontend?.key ?? null;
  setText(byId('editor-title'), frontend === null ? 'New frontend' : `Edit ${frontend.key}`);
  setText(byId('editor-fault'), '');
  const host = field('edit-host');
  host.value = frontend?.key ?? '';
  host.readOnly = frontend !== null;
  field('edit-name').value = frontend?.name ?? '';
  byId('delete-frontend').hidden = frontend === null;
  byId('edit-backends').replaceChildren();
  for (const { url } of frontend?.backends ?? []) appendBackend(url);
  if (frontend === null || frontend.backends.length === 0) appendBackend('');
  dialog('editor').showModal();
}

/** Adds an empty field for a backend, and moves the focus to it. */
export function addBackend(): void {
  appendBackend('').focus();
}

function appendBackend(url: string): HTMLInputElement {
  const input = make('input', {
    type: 'text',
    class: 'name',
    placeholder: 'http://10.0.0.1:80',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  input.value = url;
  byId('edit-backends').append(make('li', {}, input, button('remove-backend', 'Remove')));
  numberBackends();
  return input;
}

/** @param pressed the button in the item that is removed */
export function removeBackend(pressed: Element): void {
  const item = pressed.closest('li');
  const next = item?.nextElementSibling ?? item?.previousElementSibling;
  item?.remove();
  numberBackends();
  // The focus stays in the list, for operators who use the keyboard.
  (next?.querySelector('button') ?? byId('add-backend')).focus();
}

/** Labels each field with its place in the list, which is the backend's id. */
function numberBackends(): void {
  for (const [id, item] of [...byId('edit-backends').children].entries()) {
    item.querySelector('input')?.setAttribute('aria-label', `Backend ${id}`);
    item.querySelector('button')?.setAttribute('aria-label', `Remove backend ${id}`);
  }
}

/** Why a URL is mistyped, or null. The router checks more than this. */
function typoIn(url: string): string | null {
  return /^https?:\/\/[^/\s]/i.test(url) && URL.canParse(url) ? null : `“${url}” is not http://HOST:PORT`;
}

/** Saves what the dialog holds, and closes it. Rejects when the router refuses that, or does not respond. */
export async function saveFrontend(): Promise<void> {
  const host = field('edit-host');
  const key = host.value.trim();
  const inputs = [...byId('edit-backends').querySelectorAll('input')].filter(({ value }) => value.trim() !== '');
  const backends = inputs.map(({ value }) => value.trim());
  if (key === '') return refuse('A frontend needs a host: www.example.com, *.example.com or *', host);
  for (const input of inputs) {
    const typo = typoIn(input.value.trim());
    if (typo !== null) return refuse(typo, input);
  }
  if (backends.length === 0) return refuse('A frontend needs at least one backend.', byId('add-backend'));
  await save(async () => {
    await putFrontend(key, field('edit-name').value.trim(), backends);
    return `${key} is saved`;
  });
}

/** Shows a problem, and moves the focus to its cause. */
function refuse(text: string, cause: HTMLElement): void {
  setText(byId('editor-fault'), text);
  cause.focus();
}

/** Asks whether to delete the frontend that is edited. */
export function confirmDeletion(): void {
  setText(
    byId('confirm-text'),
    `Delete ${editor.key}? Requests for it are refused from then on, unless a wildcard matches.`,
  );
  dialog('confirm').showModal();
}

/** Deletes the frontend that is edited. Rejects when the router refuses that, or does not respond. */
export async function deleteEdited(): Promise<void> {
  const { key } = editor;
  dialog('confirm').close();
  if (key === null) return;
  await save(async () => {
    await deleteFrontend(key);
    return `${key} is deleted`;
  });
}

/** @param change makes one change, and resolves to what it did, for screen readers */
async function save(change: () => Promise<string>): Promise<void> {
  // A second press while the first is under way.
  if (editor.isSaving) return;
  editor.isSaving = true;
  try {
    const done = await change();
    dialog('editor').close();
    announce(done);
    refreshRoutes();
  } catch (error) {
    setText(byId('editor-fault'), reasonOf(error));
    if (isUnauthorized(error)) dialog('editor').close();
    throw error;
  } finally {
    editor.isSaving = false;
  }
}
