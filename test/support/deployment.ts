import { ApiClient } from './api.client.js';
import { startApp, type AppProcess, type Entry } from './app.process.js';

/** A process that answers HTTP, and its client. */
export interface Served {
  app: AppProcess;
  api: ApiClient;
}

/** Peers of tests listen on loopback, where webhooks may not go unless it is allowed. */
const PEERS = { WEBHOOK_ALLOW: '127.0.0.1' };

/** Api and worker in one process, on an embedded store in `cwd`. */
export function startStandalone(env: Record<string, string> = {}, cwd?: string): Promise<Served> {
  return serve('standalone', { ...PEERS, ...env }, cwd);
}

/** An api of its own, on a store that processes share. */
export function startApi(store: string, env: Record<string, string> = {}): Promise<Served> {
  return serve('api', { CALLSHEET_URL: store, ...env });
}

/** A worker of its own, on a store that processes share. */
export function startWorker(store: string, env: Record<string, string> = {}): Promise<AppProcess> {
  return startApp('worker', { CALLSHEET_URL: store, ...PEERS, ...env });
}

async function serve(entry: Entry, env: Record<string, string>, cwd?: string): Promise<Served> {
  // Port 0: the system chooses, so that nothing can take the port between choosing and listening.
  const app = await startApp(entry, { PORT: '0', ...env }, cwd === undefined ? {} : { cwd });
  const [url = ''] = await app.line(/http:\/\/127\.0\.0\.1:\d+/);
  return { app, api: new ApiClient(url) };
}
