import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceManager } from '../../lib/cluster/service-manager.ts';

test('a word that cannot even be sent is told once, and stops nothing', async () => {
  const faults: Error[] = [];
  const manager = new ServiceManager({ NOTIFY_SOCKET: '@nowhere' }, process.pid, (cause) => faults.push(cause));
  // No program takes such an argument: it is thrown, as are the faults of a system that has nothing left.
  manager.ready('\0');
  manager.stopping();
  await manager.close();
  assert.match(faults.map(String).join(), /^TypeError[^,]*null bytes[^,]*$/);
});
