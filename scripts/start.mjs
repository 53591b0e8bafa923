// npm start: builds what is not built, then runs an app in this same process, so that signals reach it.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildOrExit, ROOT } from './build.mjs';

const MAINS = {
  standalone: 'apps/standalone/src/main.js',
  api: 'apps/api/src/main.js',
  worker: 'apps/worker/src/main.js',
  ledger: 'apps/worker/src/ledger/main.js',
  schedules: 'apps/worker/src/schedules/main.js',
  'encryption:rotate': 'apps/worker/src/encryption/main.js',
};
const APPS = Object.keys(MAINS);
const [app = 'standalone', ...rest] = process.argv.slice(2);
/** Arguments that an app reads itself. */
const ARGUMENTS = { schedules: ['plan', 'apply'] };

const bad = rest.filter((argument) => !ARGUMENTS[app]?.includes(argument));

if (!APPS.includes(app) || bad.length > 0) {
  const unknown = APPS.includes(app) ? bad.join(' ') : app;
  console.error(`unknown argument '${unknown}'; usage: node scripts/start.mjs [${APPS.join('|')}]`);
  process.exit(2);
}

// Only this machine can send to a process that asks for no key, so its messages may lead to this machine too.
if (
  app === 'standalone' &&
  process.env.NODE_ENV !== 'production' &&
  !process.env.CALLSHEET_API_KEY
) {
  process.env.WEBHOOK_ALLOW ??= '127.0.0.0/8,::1';
}

// Under `callsheet dev`: without who started it, nobody would end it, nor its build.
if (process.send) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

await buildOrExit();

await import(pathToFileURL(path.join(ROOT, 'dist', MAINS[app])).href);
