import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mailSubject } from '@callsheet/contracts';
import { RejectError } from '@callsheet/messaging';
import { Injectable } from '@nestjs/common';
import type { Liquid, LiquidOptions } from 'liquidjs';
import { excerpt } from '../excerpt.js';
import { Settings } from '../settings.js';

/** What a template makes of its data. */
export interface MailContent {
  subject: string;
  text?: string;
  html?: string;
}

type Part = keyof MailContent;

/** A name, also of a folder: never a way to another one. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** How many templates an error names. */
const SHOWN = 50;

/**
 * How long all parts of a mail may take, ms. Nothing else runs in the process meanwhile, so it must stay far below the time after
 * which locks on messages are lost.
 */
const RENDER_LIMIT = 500;

/** Templates see their data alone: no prototypes, no files, no functions. What is not there is an error. */
const OPTIONS: LiquidOptions = {
  ownPropertyOnly: true,
  strictVariables: true,
  strictFilters: true,
  // {% if x %} and {{ x | default: '' }} may ask for what is not there.
  lenientIf: true,
  templates: {},
  timezoneOffset: 0,
  parseLimit: 1_000_000,
  memoryLimit: 10_000_000,
};

/**
 * Email templates in Liquid: a folder for each (`MAIL_TEMPLATES`), named as it is called, with the files `subject.liquid` and
 * `text.liquid`, `html.liquid` or both. They are read for each mail, so that a change counts from the next one on.
 */
@Injectable()
export class MailTemplates {
  /** Made for the first mail with a template. */
  private engines?: Promise<{ plain: Liquid; html: Liquid }>;

  constructor(private readonly settings: Settings) {}

  /**
   * Fills a template. In `html.liquid` values are escaped, unless a filter `raw` says otherwise.
   *
   * @throws RejectError when there is no such template, when it needs a field that `data` has not, when it is no valid Liquid or
   *   takes too much time or memory, and when its subject is not one line or a body is empty
   * @throws Error when it cannot be read
   */
  async render(name: string, data: Readonly<Record<string, unknown>>): Promise<MailContent> {
    const sources = NAME.test(name) ? await this.read(name) : {};
    if (sources.subject === undefined || (sources.text ?? sources.html) === undefined) {
      throw new RejectError(
        `there is no mail template '${excerpt(name)}'; there are: ${await this.names()}`,
      );
    }
    const left = { ms: RENDER_LIMIT };
    const fill = async (part: Part): Promise<string | undefined> => {
      const source = sources[part];
      return source === undefined ? undefined : this.fill(name, part, source, data, left);
    };
    const subject = ((await fill('subject')) ?? '').trim();
    if (!mailSubject.safeParse(subject).success) {
      throw new RejectError(
        `the subject of the mail template '${name}' must become one line of 1 to 998 characters, without control characters`,
      );
    }
    const [text, html] = [await fill('text'), await fill('html')];
    return { subject, ...(text !== undefined && { text }), ...(html !== undefined && { html }) };
  }

  private async read(name: string): Promise<Partial<Record<Part, string | undefined>>> {
    const read = (part: Part) => textOf(join(this.settings.mailTemplates, name, `${part}.liquid`));
    const [subject, text, html] = await Promise.all([read('subject'), read('text'), read('html')]);
    return { subject, text, html };
  }

  private async names(): Promise<string> {
    const entries = await readdir(this.settings.mailTemplates, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isDirectory() && NAME.test(entry.name));
    const sorted = names.map((entry) => entry.name).sort();
    return sorted.slice(0, SHOWN).join(', ') || 'none';
  }

  /** @param left of the time for the mail; what this part takes is taken from it */
  private async fill(
    name: string,
    part: Part,
    source: string,
    data: object,
    left: { ms: number },
  ): Promise<string> {
    const engines = await (this.engines ??= load());
    const engine = part === 'html' ? engines.html : engines.plain;
    let filled: string;
    const begin = performance.now();
    try {
      filled = String(await engine.parseAndRender(source, { ...data }, { renderLimit: left.ms }));
    } catch (error) {
      throw new RejectError(`the mail template '${name}' ${problemOf(error, part)}`, {
        cause: error,
      });
    } finally {
      left.ms = Math.max(0, left.ms - (performance.now() - begin));
    }
    if (part === 'subject' || filled.trim() !== '') return filled;
    throw new RejectError(`the mail template '${name}' makes nothing of ${part}.liquid`);
  }
}

async function load(): Promise<{ plain: Liquid; html: Liquid }> {
  // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
  const { Liquid } = await import('liquidjs');
  return { plain: new Liquid(OPTIONS), html: new Liquid({ ...OPTIONS, outputEscape: 'escape' }) };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function problemOf(error: unknown, part: Part): string {
  const { message, originalError } = error as Error & { originalError?: { variableName?: string } };
  const missing = originalError?.variableName;
  if (missing === undefined) return `cannot be filled: ${part}.liquid: ${excerpt(message)}`;
  return `needs data.${excerpt(missing)}, which is missing (${part}.liquid)`;
}
