import type { Answer, Question, Remembered } from '../admin/questions.ts';
import type { WorkerFigures } from '../observe/figures.ts';
import type { Recollection, RouteStore } from '../store/store.ts';

/**
 * A worker's answer to a question of the admin interface.
 * @param takeFigures what was counted since the last call; null where nothing is
 */
export function answer(question: Question, store: RouteStore, takeFigures: () => WorkerFigures | null): Answer {
  const { type } = question;
  switch (type) {
    case 'figures':
      return { type, figures: takeFigures() };
    case 'recollect':
      return { type, remembered: rememberedOf(store.recollect(question.host, question.path)) };
    case 'marks':
      return { type, marks: store.ownMarks(question.host) };
    case 'forget':
      return { type, hosts: store.forget(question.host) };
  }
}

/** What can travel between processes: patterns cannot. */
function rememberedOf(recollection: Recollection | null): Remembered | null {
  if (recollection === null) return null;
  const { route, isFresh, ageMs } = recollection;
  if (route === null) return { route, isFresh, ageMs };
  const { key, name, backends, dead, options } = route;
  const hrefs = backends.map(({ href }) => href);
  const fields = Object.fromEntries(options.fields);
  return { route: { key, name, backends: hrefs, dead: [...dead], options: fields }, isFresh, ageMs };
}
