import type { Answer, Question, Remembered } from '../../admin/questions.ts';
import type { BackendStates } from '../../backends/state/backend-states.ts';
import type { MetricsReport } from '../../observe/worker-metrics.ts';
import type { Certificates } from '../../server/certificates.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { Recollection, RouteStore } from '../../store/store.ts';

/** The sources of replies to the admin interface. */
export interface QuerySources {
  readonly store: RouteStore;
  readonly certificates: Pick<Certificates, 'shown'>;
  readonly backends: Pick<BackendStates, 'snapshot'>;
  readonly heartbeats: Pick<Heartbeats, 'askedFor'>;
  /** The metrics since the last call; null where there are none. */
  readonly takeMetrics: () => MetricsReport | null;
}

/**
 * Replies to a question of the admin interface: at once, except for a certificate or a list, which may have to be read
 * from the store.
 */
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
    case 'backends':
      return reply({ type, backends: sources.backends.snapshot(question.servers, question.more) });
    case 'forget':
      return reply({ type, hosts: store.forget(question.host) });
    case 'fleet':
      void sources.heartbeats.askedFor(question.announced).then((beat) => reply({ type, beat }));
      return;
    case 'certificate':
      void sources.certificates.shown(question.host).then((shown) => reply({ type, shown }));
      return;
  }
}

/** Without compiled patterns, which cannot be sent between processes. */
function rememberedOf(recollection: Recollection | null): Remembered | null {
  if (recollection === null) return null;
  const { route, isFresh, ageMs } = recollection;
  if (route === null) return { route, isFresh, ageMs };
  const { key, name, backends, dead, onTrial, site } = route;
  const hrefs = backends.map(({ href }) => href);
  const fields = Object.fromEntries(site.fields);
  const ids = { dead: [...dead], onTrial: [...onTrial.keys()] };
  return { route: { key, name, backends: hrefs, ...ids, options: fields }, isFresh, ageMs };
}
