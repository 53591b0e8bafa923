import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, Failure, misuse, type ExitCode, type Fault } from './exit.js';
import type { Shell } from './shell.js';

/** What a call may say beside its path. */
export interface Call {
  query?: Readonly<Record<string, string | number | undefined>>;
  body?: object;
  headers?: Readonly<Record<string, string | undefined>>;
  /**
   * Idempotency key, for calls whose body has no id of its own; the run's by default. Empty: the call takes none, and does the same
   * however often it is made. False: it is never repeated.
   */
  once?: string | false;
  /** Whether it removes something: gone after a lost answer, it is this call that has removed it. */
  isRemoval?: boolean;
  /** Milliseconds that the answer may take. Default 30,000. */
  patience?: number;
}

/** One page of a list. */
interface Page<T> {
  items: T[];
  next?: string;
}

interface Problem {
  code?: string;
  detail?: string;
  errors?: Fault[];
}

const HERE = 'http://127.0.0.1:3000';
const PATIENCE = 30_000;
/** Waits before a call is made again whose answer was lost, ms. */
const AGAIN = [250, 1_000];
/** How often, and how long at most, a call waits that is told to come later, ms. */
const MOST_TURNED_AWAY = 30;
const LONGEST_WAIT = 10_000;
const PAGE = 100;
/** Statuses that do not tell whether it was done: of the API, and of proxies before it. */
const UNKNOWN = [502, 503, 504];

/**
 * The HTTP API that the environment names: `CALLSHEET_API_URL`, by default this machine, with the key in `CALLSHEET_API_KEY`.
 *
 * A call whose answer is lost is made again, with the same idempotency key: one for each run of a command.
 */
export class Api {
  /** Of this run. Given again, what has been done is not done twice. */
  readonly key: string;
  private readonly base: URL;

  /** @param key idempotency key of a run before, whose outcome is not known */
  constructor(
    private readonly shell: Shell,
    key?: string,
  ) {
    this.key = key ?? `cli-${randomUUID()}`;
    const text = shell.env.CALLSHEET_API_URL || HERE;
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
      throw misuse(
        'CALLSHEET_API_URL must be an http:// or https:// URL, such as http://127.0.0.1:3000',
      );
    }
    this.base = new URL(text);
    if (this.base.username || this.base.password) {
      throw misuse(
        'CALLSHEET_API_URL must have no user and no password',
        'set CALLSHEET_API_KEY to a key of the API',
      );
    }
  }

  get<T>(path: string, query?: Call['query']): Promise<T> {
    return this.call<T>('GET', path, { query });
  }

  post<T>(path: string, body?: object, call: Call = {}): Promise<T> {
    return this.call<T>('POST', path, { ...call, body });
  }

  /** Removes something. @throws Failure when it is not there, and was not before an answer was lost either */
  async remove(path: string, call: Call = {}): Promise<void> {
    await this.call('DELETE', path, { once: '', ...call, isRemoval: true });
  }

  /**
   * The entries of a list, page after page, until there are `limit` of them.
   *
   * @param cursor name of the parameter that takes the `next` of the page before
   */
  async *items<T>(
    path: string,
    limit: number,
    query: Call['query'] = {},
    cursor = 'cursor',
  ): AsyncGenerator<T> {
    let next: string | undefined;
    for (let left = limit; left > 0;) {
      const page = await this.get<Page<T>>(path, {
        ...query,
        limit: Math.min(left, PAGE),
        [cursor]: next,
      });
      yield* page.items.slice(0, left);
      left -= page.items.length;
      next = page.next;
      if (next === undefined) return;
    }
  }

  /** @throws Failure for what is no success, with what to do about it */
  async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const request = this.request(method, path, call);
    let lost = 0;
    let turnedAway = 0;
    for (;;) {
      const answer = await this.attempt(request, call.patience ?? PATIENCE);
      const { failure } = answer;
      if (!failure) return answer.value as T;
      if (call.isRemoval && lost > 0 && failure.exit === EXIT.notFound) return undefined as T;
      const isRepeatable = call.once !== false || method === 'GET';
      if (answer.retryAfter !== undefined && turnedAway < MOST_TURNED_AWAY) {
        turnedAway++;
        await this.wait(answer.retryAfter);
      } else if (answer.isLost && isRepeatable && lost < AGAIN.length) {
        await this.wait(AGAIN[lost++] ?? 0);
      } else {
        throw failure;
      }
    }
  }

  private request(method: string, path: string, { query, body, headers, once }: Call): Request {
    const url = new URL(this.base.pathname.replace(/\/$/, '') + path, this.base);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const own = this.shell.env.CALLSHEET_API_KEY;
    const isChange = method !== 'GET' && once !== false;
    const all = {
      accept: 'application/json',
      authorization: own ? `Bearer ${own}` : undefined,
      'content-type': body && 'application/json',
      'idempotency-key': isChange ? (once ?? this.key) || undefined : undefined,
      ...headers,
    };
    try {
      return new Request(url, {
        method,
        headers: Object.entries(all).filter(
          (each): each is [string, string] => each[1] !== undefined,
        ),
        body: body && JSON.stringify(body),
      });
    } catch (cause) {
      throw new Failure(
        EXIT.usage,
        'a header cannot hold what CALLSHEET_API_KEY or an option says',
        {
          cause,
        },
      );
    }
  }

  private async attempt(request: Request, patience: number): Promise<Answered> {
    const { signal } = this.shell;
    signal.throwIfAborted();
    let response: Response;
    let text: string;
    try {
      const late = AbortSignal.timeout(patience);
      response = await fetch(request.clone(), { signal: AbortSignal.any([signal, late]) });
      text = await response.text();
    } catch (cause) {
      signal.throwIfAborted();
      return { isLost: !isNeverSent(cause), failure: this.silent(cause) };
    }
    if (response.ok) return { value: jsonOf(text, response) };
    const problem = problemOf(text);
    const wait = response.headers.get('retry-after');
    const isTurnedAway = response.status === 429 && problem.code === 'too_many_requests';
    return {
      // What the store has not answered, or a proxy has not heard of, may have been done.
      isLost: UNKNOWN.includes(response.status),
      retryAfter:
        isTurnedAway && wait !== null
          ? Math.min(Number(wait) * 1_000 || 1_000, LONGEST_WAIT)
          : undefined,
      failure: failureOf(response.status, problem, this.base.origin),
    };
  }

  private silent(cause: unknown): Failure {
    const { code } = ((cause as Error).cause ?? cause) as { code?: unknown };
    const why = (cause as Error).name === 'TimeoutError' ? 'has not answered in time' : undefined;
    return new Failure(
      EXIT.unreachable,
      why ? `${this.base.origin} ${why}` : `nothing answers at ${this.base.origin}`,
      {
        code: typeof code === 'string' ? code : undefined,
        hint: 'start one with `callsheet dev`, or set CALLSHEET_API_URL to where the API is',
        cause,
      },
    );
  }

  private async wait(ms: number): Promise<void> {
    const { signal } = this.shell;
    await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

interface Answered {
  value?: unknown;
  failure?: Failure;
  /** Whether it may have been done all the same. */
  isLost?: boolean;
  /** It was not done, and may be asked for again after so long, ms. */
  retryAfter?: number;
}

/** No connection was made, so nothing was asked, and asking again at once is of no use. */
function isNeverSent(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(
    code ?? '',
  );
}

function jsonOf(text: string, { headers, url }: Response): unknown {
  if (text === '') return undefined;
  if (!headers.get('content-type')?.includes('json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Failure(EXIT.failed, `what ${url} answers is no JSON`, { cause });
  }
}

function problemOf(text: string): Problem {
  try {
    const found = JSON.parse(text) as unknown;
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}

function exitOf(status: number): ExitCode {
  if (status === 404) return EXIT.notFound;
  if (status === 401 || status === 403) return EXIT.refused;
  return UNKNOWN.includes(status) ? EXIT.unreachable : EXIT.failed;
}

/** What to do, where the answer itself is made for those who write requests. */
const HINTS: Readonly<Record<string, string>> = {
  unauthorized: 'set CALLSHEET_API_KEY to a key that holds',
  misdirected: 'set CALLSHEET_API_URL to http://127.0.0.1:3000, or CALLSHEET_API_KEY to a key',
  unknown_message: '`callsheet actors list` shows what can be sent',
  message_active: 'it is in work: try again when its turn has ended',
  schedule_exists: 'change it with --replace, or choose another id',
  declared_schedule: 'change it in code, and deploy that; pausing it is possible here',
  run_skipped: 'with --overlap allow it is started beside the one in work',
  ask_timeout: '`callsheet doctor` looks whether a worker is up',
  idempotency_conflict: 'choose another --id, or leave it out',
  store_full: 'it has room again when workers have handled what waits',
};

function failureOf(status: number, { code, detail, errors }: Problem, origin: string): Failure {
  const hint = code === undefined ? undefined : HINTS[code];
  return new Failure(
    exitOf(status),
    detail ?? `${origin} answered ${status}, and is no API of Callsheet's as it seems`,
    { code, errors: errors ?? [], hint },
  );
}
