import { chromium, type Browser } from 'playwright-core';
import { requireBinary } from './available.js';
import { atEnd } from './cleanup.js';

// Chromium without the traffic it makes on its own, and without the sandbox that root cannot have.
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The machine's own Chromium, headless; closed at the latest with the test file. Skip rule: `serverSuite('chromium', ...)`. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: requireBinary('chromium'),
    args: ARGS,
  });
  atEnd(() => browser.close());
  return browser;
}
