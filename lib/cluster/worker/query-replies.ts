import type { Answer, Question, Remembered } from '../../admin/questions.ts';
import type { MetricsReport } from '../../observe/worker-metrics.ts';
import type { Certificates } from '../../server/certificates.ts';
import type { Recollection, RouteStore } from '../../store/store.ts';

/** Where the answers to the admin interface's questions come from. */
export interface QuerySources {
  readonly store: RouteStore;
  readonly certificates: Pick<Certificates, 'shown'>;
  /** What was counted since the last call; null where nothing is. */
  readonly takeMetrics: () => MetricsReport | null;
}

/** Answers a question of the admin interface: at once, but for that of a certificate, which may have to be read. */
export function answer(question: Question, sources: QuerySources, reply: (answer: Answer) => void): void {
  const { type } = question;
  const { store } = sources;
  switch (type) {
    case 'metrics':
      return reply({ type, metrics: sources.takeMetrics() });
    case 'recollect':
      return reply({ type, remembered: rememberedOf(store.recollect(question.host, question.path)) });
    case 'marks':
      return reply({ type, marks: store.ownMarks(question.host) });
    case 'forget':
      return reply({ type, hosts: store.forget(question.host) });
    case 'certificate':
      void sources.certificates.shown(question.host).then((shown) => reply({ type, shown }));
      return;
  }
}

/** What can travel between processes: patterns cannot. */
function rememberedOf(recollection: Recollection | null): Remembered | null {
  if (recollection === null) return null;
  const { route, isFresh, ageMs } = recollection;
  if (route === null) return { route, isFresh, ageMs };
  const { key, name, backends, dead, site } = route;
  const hrefs = backends.map(({ href }) => href);
  const fields = Object.fromEntries(site.fields);
  return { route: { key, name, backends: hrefs, dead: [...dead], options: fields }, isFresh, ageMs };
}
