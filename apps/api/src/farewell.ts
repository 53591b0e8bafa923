import { setTimeout as sleep } from 'node:timers/promises';

/** How long a client may take to close when the process stops, and how long to be gone when it is cut off, ms. */
const GOODBYE = 1_000;
/** How often one looks, ms. */
const LOOK = 20;

type Clients = () => readonly { close(): void; terminate(): void }[];

/**
 * Says goodbye to all who follow something, cuts off who does not go, and waits until they are gone: of a connection that is
 * cut off, that is told later.
 *
 * @param clients who is there now
 */
export async function farewell(clients: Clients): Promise<void> {
  for (const client of clients()) client.close();
  await gone(clients);
  for (const client of clients()) client.terminate();
  await gone(clients);
}

async function gone(clients: Clients): Promise<void> {
  for (let waited = 0; waited < GOODBYE && clients().length > 0; waited += LOOK) await sleep(LOOK);
}
