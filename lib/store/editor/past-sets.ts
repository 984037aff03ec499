/** What frontends were before changes of the log. Pure functions. */
import { changedHashes, type FrontendSet, isSameList, SET_HASHES, withHashOf } from './frontend-set.ts';
import type { LoggedChange } from './route-log.ts';

/** A frontend without a change: what the change has written is what it had before. Other parts stay. */
export function withoutChange(set: FrontendSet, change: LoggedChange): FrontendSet {
  let past = change.list === undefined ? set : { ...set, list: change.list[0] };
  for (const hash of SET_HASHES) {
    const pair = change.hashes?.[hash];
    if (pair !== undefined) past = withHashOf(past, hash, new Map(Object.entries(pair[0])));
  }
  return past;
}

/** Whether a frontend is as a change has left it, in what the change has written. Not if others changed it later. */
export function isAsLeft(set: FrontendSet, change: LoggedChange): boolean {
  if (change.list !== undefined && !isSameList(set.list, change.list[1])) return false;
  let left = set;
  for (const hash of SET_HASHES) {
    const pair = change.hashes?.[hash];
    if (pair !== undefined) left = withHashOf(left, hash, new Map(Object.entries(pair[1])));
  }
  return changedHashes(set.hashes, left.hashes).length === 0;
}
