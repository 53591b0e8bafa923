import { setTimeout as sleep } from 'node:timers/promises';

/** How long a client may take to close when the process stops, ms, and how often one looks. */
const GOODBYE = 1_000;
const LOOK = 20;

/**
 * Says goodbye to all who follow something, and cuts off who does not go.
 *
 * @param clients who is there now
 */
export async function farewell(
  clients: () => readonly { close(): void; terminate(): void }[],
): Promise<void> {
  for (const client of clients()) client.close();
  for (let waited = 0; waited < GOODBYE && clients().length > 0; waited += LOOK) await sleep(LOOK);
  for (const client of clients()) client.terminate();
}
