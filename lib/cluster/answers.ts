import type { Answer, Question } from '../admin/questions.ts';
import type { WorkerFigures } from '../observe/figures.ts';
import type { RouteStore } from '../store/store.ts';

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
      return { type, recollection: store.recollect(question.host) };
    case 'marks':
      return { type, marks: store.ownMarks(question.host) };
    case 'forget':
      return { type, hosts: store.forget(question.host) };
  }
}
