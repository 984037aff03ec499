/**
 * Finds problems of a certificate in the store, and the one that a handshake gets. The results contain no private keys.
 */
import { hostOf } from '../core/routing/hostname.ts';
import { aLabelsOf } from '../store/editor/idn.ts';
import { certificateKeys, mayBeServerName } from '../core/routing/server-name.ts';
import type { RouteEditor } from '../store/editor/route-editor.ts';
import { checkPair } from '../store/certificate-check.ts';
import type { StoredCertificate } from '../store/certificates.ts';
import { command } from '../store/editor/redis-advice.ts';
import type { CertificateKeyView, CertificateView } from './explanation.ts';
import { fault, type Fault } from './fault.ts';

/** A certificate that expires sooner is reported, ms: renewals are usually due a month before. */
const SOON_MS = 14 * 86_400_000;

/** What the texts about certificates depend on, in the store. */
export type CertificateEditor = Pick<RouteEditor, 'advice' | 'certificateName' | 'certificate'>;

/** When a certificate expires. */
type Expiry = Pick<ReturnType<typeof checkPair>, 'expiresAt'>;

/** The problem of a certificate that has expired, or expires soon; null without one. @param now ms since 1970 */
export function expiryFault({ expiresAt }: Expiry, now: number): Fault | null {
  const date = Number.isFinite(expiresAt) ? new Date(expiresAt).toISOString() : '';
  if (expiresAt <= now) return fault('tls-expired', `it has a certificate that expired on ${date}`);
  if (expiresAt - now >= SOON_MS) return null;
  return fault('tls-expires', `it has a certificate that expires on ${date}`);
}

/** The problems of a key's content. @param now ms since 1970 */
export function faultsOfCertificate(
  editor: CertificateEditor,
  key: string,
  held: StoredCertificate,
  now: number,
): readonly Fault[] {
  const name = editor.certificateName(key);
  if (held.type === 'none') return [];
  const renewal = editor.advice.renewCertificate(key);
  const ofKey = mayBeServerName(key) ? [] : [keyFault(editor, key, name)];
  if (held.type === 'faulty') {
    switch (held.code) {
      case 'unreadable':
        return [...ofKey, fault('unreadable', `${JSON.stringify(name)} ${held.fault}`)];
      case 'wrong-type':
        return [...ofKey, fault('tls-type', `it ${held.fault}: no handshake gets it`, command('DEL', name))];
      case 'missing-field':
        return [...ofKey, fault('tls-field', `it ${held.fault}: no handshake gets it`, renewal)];
    }
  }
  const { fault: found, expiresAt } = checkPair(held, now);
  if (found !== null) {
    return [...ofKey, fault(found.code === 'expired' ? 'tls-expired' : 'tls-pair', `it ${found.text}`, renewal)];
  }
  const soon = expiryFault({ expiresAt }, now);
  return soon === null ? ofKey : [...ofKey, soon];
}

function keyFault(editor: CertificateEditor, key: string, name: string): Fault {
  const meant = meantBy(key);
  const text = `no handshake can ask for ${JSON.stringify(name)}: it is no host in lower case, nor "*." before one`;
  if (meant === null) return fault('tls-key', text);
  const wanted = editor.certificateName(meant);
  return fault('tls-key', text, editor.advice.renameCertificate(name, wanted));
}

function meantBy(key: string): string | null {
  const [, star = '', rest = ''] = /^(\*?\.)?(.*)$/s.exec(key.trim()) ?? [];
  const host = hostOf(aLabelsOf(rest));
  if (host === null) return null;
  const meant = star === '' ? host : `*.${host}`;
  return mayBeServerName(meant) && meant !== key ? meant : null;
}

/** The certificate that the handshake for a host gets, as far as the store decides that. @throws EditorError */
export async function explainCertificate(
  editor: CertificateEditor,
  host: string,
  now: number,
): Promise<CertificateView> {
  const keys = certificateKeys(host);
  const held = await Promise.all(keys.map((key) => editor.certificate(key)));
  const views: CertificateKeyView[] = [];
  let used: CertificateKeyView | null = null;
  for (const [i, key] of keys.entries()) {
    const view = viewOf(editor, key, held[i] ?? { type: 'none' }, used !== null, now);
    if (view.verdict === 'used') used = view;
    views.push(view);
  }
  if (used === null) {
    const isUnusable = views.some(({ verdict }) => verdict === 'unusable');
    const none = isUnusable
      ? 'no usable one for it: the last valid one is used if a router has one, else'
      : 'none for it:';
    const text = `the store has ${none} the configuration's is used, or the handshake is refused`;
    return { text, keys: views };
  }
  const names = used.names.length === 0 ? 'no name' : used.names.join(', ');
  return { text: `${used.key}, for ${names}, until ${used.expiresAt ?? 'an unreadable date'}`, keys: views };
}

function viewOf(
  editor: CertificateEditor,
  key: string,
  held: StoredCertificate,
  isDecided: boolean,
  now: number,
): CertificateKeyView {
  const faults = faultsOfCertificate(editor, key, held, now);
  const check = held.type === 'pair' ? checkPair(held, now) : null;
  const ends = check === null || check.expiresAt === Infinity ? null : new Date(check.expiresAt).toISOString();
  const isUsable = check !== null && check.fault === null;
  const fate = isUsable ? 'used' : 'unusable';
  const verdict = held.type === 'none' ? 'absent' : isDecided ? 'not reached' : fate;
  return { key: editor.certificateName(key), verdict, names: check?.names ?? [], expiresAt: ends, faults };
}
