import { RejectError, RetryLaterError, type Json } from '@callsheet/messaging';
import type { Pull, Pulled, Source } from '../pipeline.js';
import { ConnectorOptions } from './connector.options.js';

/** Options of {@link httpPages}. */
export interface HttpPagesOptions<R> {
  /** The first page: http or https. */
  url: string;
  /** Sent with each request, such as `authorization`, to the origin of `url` only; asked anew each time. Default: none. */
  headers?: () => Record<string, string> | Promise<Record<string, string>>;
  /** The rows in a body. Default: the body, which must be a list then. */
  rows?: (body: unknown) => readonly R[];
  /**
   * URL of the page behind this one; undefined on the last. Not asked again while the `ETag` of the page is the same. Default: that
   * of the header `Link` with `rel="next"`.
   */
  next?: (body: unknown, headers: Headers) => string | undefined;
  /**
   * What the next run begins with. 'last': the page that was the last, for lists that grow at their end. 'first': all of them, for lists
   * in another order. Rows of pages whose `ETag` is as it was are not pushed again; nor are they sent, except for those of a last page
   * that only its `Link` can tell to be the last no more. Default 'last'.
   */
  again?: 'last' | 'first';
}

/** Where a page is, and what is known of pages. */
interface Place {
  url: string;
  /** By URL, of pages that were read: their ETag, and the page behind them. At most {@link MOST_KNOWN}. */
  known: Record<string, { etag: string; next?: string }>;
}

/** Pages whose ETags are remembered: the cursor is kept with the state of the pipeline, and carried with each page. */
const MOST_KNOWN = 200;
/** The largest body of a page, bytes. */
const LARGEST = 16 * 1024 * 1024;
/** The longest wait that a server can ask for: one hour, ms. */
const LONGEST_WAIT = 3_600_000;
/** What will not get better by trying again. */
const FINAL = new Set([400, 401, 403, 404, 405, 406, 410, 414, 422, 451]);

/**
 * Pages of JSON over HTTP. 429 and 503 are tried again when `Retry-After` says, an hour later at most; answers such as 401 or 404 end the run at once.
 *
 * @throws OptionError for a bad option
 */
export function httpPages<R = unknown>(options: HttpPagesOptions<R>): Source<R> {
  const given = new ConnectorOptions('httpPages', options, [
    'url',
    'headers',
    'rows',
    'next',
    'again',
  ]);
  const { again = 'last' } = options;
  if (again !== 'last' && again !== 'first') given.fail('again', "must be 'last' or 'first'");
  for (const option of ['headers', 'rows', 'next']) if (given.has(option)) given.method(option);
  return new HttpPages({ ...options, url: given.url('url', ['http:', 'https:']), again });
}

class HttpPages<R> implements Source<R> {
  constructor(private readonly options: HttpPagesOptions<R> & { again: 'last' | 'first' }) {}

  async pull(cursor: Json, { signal }: Pull): Promise<Pulled<R>> {
    const place = (cursor as unknown as Place | null) ?? { url: this.options.url, known: {} };
    const { url, known } = place;
    const { etag, next } = known[url] ?? {};
    // Of the last page the answer 304 need not say that there is another behind it by now, so it is asked for in full.
    const isSure = next !== undefined || this.options.next !== undefined;
    const answer = await this.get(url, isSure ? etag : undefined, signal);
    if (answer.status === 304) {
      const found = this.options.next ? undefined : linked(answer);
      return this.page(place, [], this.behind(found, url) ?? next);
    }
    const body = await jsonOf(answer, url);
    const found = this.options.next ? this.options.next(body, answer.headers) : linked(answer);
    const behind = this.behind(found, url);
    const rows = this.options.rows ? this.options.rows(body) : body;
    if (!Array.isArray(rows)) {
      throw new RejectError(`${shown(url)} answers no list: give httpPages rows`);
    }
    const tag = answer.headers.get('etag');
    const others = Object.entries(known).filter(([other]) => other !== url);
    const kept = tag ? [...others, [url, { etag: tag, ...(behind && { next: behind }) }]] : others;
    const remembered = Object.fromEntries(kept.slice(-MOST_KNOWN)) as Place['known'];
    const isKnown = tag !== null && tag === etag;
    return this.page({ url, known: remembered }, isKnown ? [] : (rows as R[]), behind);
  }

  private page({ url, known }: Place, rows: R[], next: string | undefined): Pulled<R> {
    const start = this.options.again === 'first' ? this.options.url : url;
    // Of a list that grows at its end only the last page is asked for again.
    const own = known[url];
    const last = next === undefined && own ? { [url]: own } : {};
    const remembered = this.options.again === 'first' ? known : last;
    const cursor: Place = { url: next ?? start, known: remembered };
    return { rows, cursor: cursor as unknown as Json, more: next !== undefined };
  }

  private async get(url: string, etag: string | undefined, signal: AbortSignal): Promise<Response> {
    const own = await this.options.headers?.();
    const answer = await fetch(url, {
      headers: { accept: 'application/json', ...own, ...(etag && { 'if-none-match': etag }) },
      redirect: 'error',
      signal,
    });
    if (answer.ok || answer.status === 304) return answer;
    await answer.body?.cancel();
    const problem = `${shown(url)} answers ${answer.status}`;
    if (FINAL.has(answer.status)) throw new RejectError(problem);
    const later = RetryLaterError.fromRetryAfter(problem, answer.headers.get('retry-after'), {
      most: LONGEST_WAIT,
    });
    throw later ?? new Error(problem);
  }

  /** What goes with each request is a secret of one server. @throws RejectError */
  private behind(found: string | undefined, url: string): string | undefined {
    if (found === undefined) return undefined;
    const next = new URL(found, url).href;
    if (new URL(next).origin === new URL(this.options.url).origin) return next;
    throw new RejectError(
      `${shown(this.options.url)} leads to another server, ${new URL(next).origin}`,
    );
  }
}

async function jsonOf(answer: Response, url: string): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > LARGEST) throw new RejectError(`${shown(url)} answers more than ${LARGEST} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch (cause) {
    throw new Error(`${shown(url)} answers no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** An address in errors: what follows the path may be secret, and so may a user in it. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** RFC 8288: `<https://a.example/items?page=2>; rel="next"`. */
function linked({ headers }: Response): string | undefined {
  const links = headers.get('link')?.matchAll(/<([^>]*)>([^<]*)/g) ?? [];
  for (const [, url = '', params = ''] of links) {
    if (/;\s*rel\s*=\s*("[^"]*\bnext\b[^"]*"|next\b)/i.test(params)) return url;
  }
  return undefined;
}
