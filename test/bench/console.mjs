// The console while many messages pass on an embedded store: how long an interaction takes until it is painted, and the page's memory.
// Usage: npm run build && node test/bench/console.mjs [messages] [minutes]
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const [count = '50000', minutes = '10'] = process.argv.slice(2);
const N = Number(count);
const root = path.resolve(import.meta.dirname, '../..');
const cwd = mkdtempSync(path.join(tmpdir(), 'callsheet-bench-'));
const app = spawn(process.execPath, [path.join(root, 'dist/apps/standalone/src/main.js')], {
  cwd,
  env: { PATH: process.env.PATH, HOME: cwd, PORT: '0' },
});
let output = '';
for (const stream of [app.stdout, app.stderr]) stream.on('data', (text) => (output += text));
const url = await (async () => {
  for (let n = 0; n < 300; n++) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
    if (found && /ready/.test(output)) return found[0];
    await delay(200);
  }
  throw new Error(`the app did not start:\n${output}`);
})();

/** Sends all of them, 500 at a time, and no faster than they are handled by much. */
async function load() {
  for (let n = 0; n < N; n += 500) {
    const messages = Array.from({ length: 500 }, (_, i) => ({
      type: 'account.deposit',
      data: { accountId: `a${(n + i) % 50}`, amount: 1 },
    }));
    const response = await fetch(`${url}/v1/messages:batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages }),
    });
    if (!response.ok) throw new Error(await response.text());
    while ((await counts()).waiting > 2_000) await delay(500);
  }
}
async function counts() {
  return (await (await fetch(`${url}/v1/actors/account`)).json()).counts;
}

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.addInitScript(() => {
    globalThis.interactions = [];
    new PerformanceObserver((list) => {
      for (const { interactionId, duration } of list.getEntries())
        if (interactionId) globalThis.interactions.push(duration);
    }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  });
  await page.goto(url);
  const session = await page.context().newCDPSession(page);
  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return usedSize / 2 ** 20;
  };
  const began = performance.now();
  let isSent = false;
  const sending = load().then(() => (isSent = true));
  const series = [];
  const shown = [];
  let clicks = 0;
  let nextLook = 0;
  while (performance.now() - began < Number(minutes) * 60_000) {
    for (const name of ['Actors', 'Messages', 'Dead letters', 'Schedules', 'Overview']) {
      const from = performance.now();
      await page.getByRole('link', { name, exact: true }).first().click();
      await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
      shown.push(performance.now() - from);
      clicks++;
      await delay(1_000);
    }
    if (performance.now() - began >= nextLook) {
      nextLook += 60_000;
      const { done, waiting } = await counts();
      series.push(await heap());
      console.log(
        `${((performance.now() - began) / 60_000).toFixed(1)} min: heap ${series.at(-1).toFixed(1)} MiB, ${done} kept as done, ${waiting} wait, sent all: ${isSent}`,
      );
    }
  }
  const light = await page.getByText('live', { exact: true }).count();
  // Shorter ones than 16 ms are not told.
  const told = (await page.evaluate(() => globalThis.interactions)).toSorted((a, b) => a - b);
  const at = (values, part) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;
  console.log(
    `${clicks} clicks; interactions until painted (those over 16 ms, ${told.length}): p50 ${at(told, 0.5)} ms, p98 ${at(told, 0.98)} ms, most ${at(told, 0.9999)} ms`,
  );
  console.log(
    `until the page of a click is there: p50 ${at(shown, 0.5).toFixed(0)} ms, p95 ${at(shown, 0.95).toFixed(0)} ms`,
  );
  console.log(
    `heap after garbage collection, each minute: ${series.map((n) => n.toFixed(1)).join(' ')} MiB; live at the end: ${light === 1}`,
  );
  await Promise.race([sending, delay(1_000)]);
} finally {
  await browser.close();
  app.kill('SIGKILL');
  rmSync(cwd, { recursive: true, force: true, maxRetries: 20 });
}
process.exit();
