import { CommandFailure } from './command.ts';
import { keyOf } from './route-key.ts';
import { type RouteRun, told } from './route-run.ts';
import { isSameBackend } from './same-backend.ts';
import { counted } from './show-fault.ts';

/** Removes a frontend, or one of its backends. @throws CommandFailure when it is not there, or is the last one */
export async function removeRoute(run: RouteRun): Promise<number> {
  const { book, words, isForced } = run;
  const [word = '', url] = words;
  const key = keyOf(word, isForced, book);
  if (url === undefined) {
    const { before } = await book.remove(key, { isForced });
    if (before === null && !isForced) throw notThere(key);
    return await told(run, `${key}: removed`, [], null, key);
  }
  const { after } = await book.change(
    key,
    (list) => {
      if (list.length === 0) throw notThere(key);
      const [name = '', ...urls] = list;
      const kept = urls.filter((each) => !isSameBackend(each, url));
      if (kept.length === urls.length) throw new CommandFailure('no-backend', `${key} has no backend ${url}`);
      if (kept.length === 0 && !isForced) throw last(key, url);
      return [name, ...kept];
    },
    { isForced },
  );
  const left = counted((after?.length ?? 1) - 1, 'backend');
  return await told(run, `${key}: backend removed, ${left} left`, [], after, key);
}

function notThere(key: string): CommandFailure {
  return new CommandFailure('no-frontend', `there is no frontend ${key}`);
}

function last(key: string, url: string): CommandFailure {
  return new CommandFailure(
    'last-backend',
    `${url} is the last backend of ${key}: clients would get 502; --force removes it, "hipache route remove ${key}" the frontend`,
  );
}
