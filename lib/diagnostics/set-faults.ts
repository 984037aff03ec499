/** The problems that a whole frontend would have, before it is written. */
import type { SiteHash } from '../core/routing/site.ts';
import { hashFault, SITE_HASHES } from '../sites/hashes.ts';
import type { Advice } from '../store/editor/advice.ts';
import { editedFieldFault } from '../store/editor/edit-rules.ts';
import { type FrontendSet, SET_HASHES, type SetHash } from '../store/editor/frontend-set.ts';
import { pageFault } from '../store/pages.ts';
import { faultsOfNewList } from './frontend.ts';
import { readKey } from './key-faults.ts';

/** Why a frontend must not be written; empty when it may. Notes are left out. */
export function faultsOfSet(key: string, { list, hashes }: FrontendSet, advice: Advice): readonly string[] {
  const ofList = list === null ? readKey(key, advice).faults : faultsOfNewList(key, list, advice);
  const errors = ofList.filter(({ severity }) => severity === 'error').map(({ text }) => text);
  for (const hash of SET_HASHES) {
    const fault = isSiteHash(hash) ? hashFault(hash, hashes[hash]) : null;
    if (fault !== null) errors.push(`${hash}: ${fault}`);
    for (const [field, text] of hashes[hash]) {
      const why = hash === 'errors' ? pageFault(field, text) : editedFieldFault(hash, field, text);
      if (why !== null) errors.push(`${hash}: ${JSON.stringify(field)}: ${why}`);
    }
  }
  return errors;
}

function isSiteHash(hash: SetHash): hash is SiteHash {
  return SITE_HASHES.some((each) => each === hash);
}
