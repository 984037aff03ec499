/** Clients that ask without pause, to show that nobody notices what happens to the router meanwhile. */
import { ask } from './client.ts';

export interface Load {
  /** Resolves when so many more answers have come. */
  answers(count: number): Promise<void>;
  /** Stops asking. Resolves with what went wrong, one line each. */
  stop(): Promise<readonly string[]>;
}

/** Asks `port` over and over, each time on a new connection; all answers should be 200. */
export function startLoad(port: number, clients = 4): Load {
  const faults: string[] = [];
  let answered = 0;
  let isStopping = false;
  let onAnswer = (): void => {};
  const client = async (): Promise<void> => {
    while (!isStopping) {
      try {
        const { status } = await ask({ port });
        if (status !== 200) faults.push(`status ${status}`);
      } catch (error) {
        faults.push(String(error));
      }
      answered++;
      onAnswer();
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    answers: (count) => {
      const goal = answered + count;
      return new Promise((resolve) => {
        onAnswer = () => {
          if (answered >= goal) resolve();
        };
      });
    },
    stop: async () => {
      isStopping = true;
      await running;
      return faults;
    },
  };
}
