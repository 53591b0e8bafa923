import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import type { ApiClient } from './api.client.js';
import { openBrowser } from './browser.js';
import { startStandalone } from './deployment.js';

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Where the pictures go. */
const SHOTS = process.env['CONSOLE_SHOTS'];
/** How a page is looked at: in both themes, on a desk and on a phone; in all ways when there are pictures to be seen. */
const LOOKS = [
  ['light', DESKTOP],
  ['dark', PHONE],
  ...(SHOTS
    ? ([
        ['dark', DESKTOP],
        ['light', PHONE],
      ] as const)
    : []),
] as const;

/** The console of a real standalone app in a real browser. */
export interface ConsoleStage {
  readonly api: ApiClient;
  readonly browser: Browser;
  /** One page for all tests of a file: a console is open all day. */
  readonly page: Page;
  /** What a page must never do: ask elsewhere, break its policy, log an error. Stays empty. */
  readonly troubles: string[];
  /** Goes to an address, and waits until its heading is there. */
  go(address: string, heading?: string | RegExp): Promise<void>;
  /** Waits until the page of this heading is shown. */
  at(heading?: string | RegExp): Promise<void>;
  button(name: string | RegExp): Locator;
  /** The one that is open. */
  dialog(): Locator;
  /** The line of a table that says this. */
  row(text: string | RegExp): Locator;
  /** Waits until this is said anywhere. */
  shows(text: string | RegExp): Promise<void>;
  /** What is said of a field below it. */
  besides(field: Locator): Promise<string | null>;
  /** Says why, where that is asked for, and presses the button of the dialog that is open; it closes when that is done. */
  confirm(button: string, reason?: string): Promise<void>;
  /** Presses a button, and the one of the same name in its dialog. */
  act(button: string, reason?: string): Promise<void>;
  /**
   * Looks at what is shown in both themes, on a desk and on a phone: says what axe finds, and what does not fit into the width. Set
   * CONSOLE_SHOTS to a folder to see a picture of each.
   */
  look(name: string): Promise<string[]>;
}

/** @param env of the app */
export async function openConsole(env: Record<string, string> = {}): Promise<ConsoleStage> {
  const { api } = await startStandalone(env);
  return consoleOf(api);
}

/** The console of an app that runs. @param key of somebody, who is logged in with it */
export async function consoleOf(api: ApiClient, key?: string): Promise<ConsoleStage> {
  const browser = await openBrowser();
  const page = await browser.newPage({
    viewport: DESKTOP,
    ...(key !== undefined && { extraHTTPHeaders: { authorization: `Bearer ${key}` } }),
  });
  // What is missing fails soon, with what was looked for in the error.
  page.setDefaultTimeout(30_000);
  const at = (heading?: string | RegExp): Promise<void> =>
    page
      .getByRole('heading', { level: 1, ...(heading !== undefined && { name: heading }) })
      .waitFor();
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const dialog = () => page.getByRole('dialog');
  const confirm = async (verb: string, reason?: string): Promise<void> => {
    if (reason !== undefined) await dialog().getByLabel('Reason').fill(reason);
    await dialog().getByRole('button', { name: verb, exact: true }).click();
    await dialog().waitFor({ state: 'hidden' });
  };
  return {
    api,
    browser,
    page,
    troubles: troublesOf(page, api.url),
    go: async (address, heading) => {
      await page.goto(api.url + address);
      await at(heading);
    },
    at,
    button,
    dialog,
    row: (text) => page.getByRole('row').filter({ hasText: text }),
    shows: (text) => page.getByText(text).first().waitFor(),
    besides: (field) => field.locator('xpath=following-sibling::small').textContent(),
    confirm,
    act: async (verb, reason) => {
      await button(verb).click();
      await confirm(verb, reason);
    },
    look: (name) => look(page, name),
  };
}

/** Gathers what goes wrong in a page from now on. */
export function troublesOf(page: Page, origin: string): string[] {
  const troubles: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin) troubles.push(`asked elsewhere: ${url.href}`);
  });
  page.on('response', (response) => {
    // 503: the store is busy, which the page bears.
    if (response.status() >= 500 && response.status() !== 503)
      troubles.push(`${response.status()} of ${response.url()}`);
  });
  page.on('pageerror', (error) => troubles.push(`threw: ${error.message}`));
  page.on('console', (line) => {
    // What the API refuses is shown to people; the browser logs it too.
    const isAnswer = line.text().startsWith('Failed to load resource');
    if (line.type() === 'error' && !isAnswer) troubles.push(`logged: ${line.text()}`);
  });
  return troubles;
}

async function look(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  for (const [theme, viewport] of LOOKS) {
    const as = `${name} ${theme} ${viewport.width}`;
    await page.setViewportSize(viewport);
    // As the switch of the page does it.
    await page.evaluate(`document.documentElement.style.colorScheme = '${theme}'`);
    if (SHOTS) {
      const file = path.join(SHOTS, `${as.replaceAll(' ', '-')}.png`);
      await page.screenshot({ path: file, fullPage: true, animations: 'disabled' });
    }
    found.push(...(await violations(page)).map((text) => `${as}: ${text}`));
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    if (width > viewport.width) found.push(`${as}: is ${width} wide`);
  }
  await page.setViewportSize(DESKTOP);
  return found;
}

/** What axe finds, a line for each element. Code for the page is text: what tests are compiled with knows no documents. */
async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html }) => `${id} (${help}) ${html.slice(0, 200)}`),
  );
}
