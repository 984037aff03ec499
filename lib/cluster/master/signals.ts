/** What the master does on each signal. Workers ignore SIGINT: a terminal sends it to all processes of the group. */
export interface SignalActions {
  readonly stop: () => void;
  readonly reload: () => void;
  readonly reopenLogs: () => void;
  readonly upgrade: () => void;
}

/** Listens for signals until the returned function is called. */
export function onSignals({ stop, reload, reopenLogs, upgrade }: SignalActions): () => void {
  const table = { SIGTERM: stop, SIGINT: stop, SIGHUP: reload, SIGUSR1: reopenLogs, SIGUSR2: upgrade } as const;
  const entries = Object.entries(table) as [NodeJS.Signals, () => void][];
  for (const [signal, act] of entries) process.on(signal, act);
  return () => {
    for (const [signal, act] of entries) process.off(signal, act);
  };
}
