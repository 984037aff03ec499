import { describeCause } from '../observe/log.ts';

/** Why an address cannot be listened on, as text for the operator. */
export function listenFault(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return 'another program listens there (EADDRINUSE)';
    case 'EACCES':
      return 'not allowed (EACCES); ports below 1024 are for root';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)';
    default:
      return describeCause(error);
  }
}
