import { RejectError, RetryLaterError } from '@callsheet/messaging';
import type { RequestInit, Response } from 'undici';
import { excerpt } from '../excerpt.js';
import type { GuardedFetch } from './guarded.fetch.js';

/** Bytes of an answer that are read at most: enough to say what went wrong. */
const READ_LIMIT = 64 * 1024;
/** The longest wait a receiver can ask for: one hour, in milliseconds. */
const MAX_WAIT = 3_600_000;

/** What one attempt to post something was answered. */
export interface Answer {
  readonly status: number;
  /** Whether it is 2xx. */
  readonly ok: boolean;
  /** What an answer other than 2xx means for the message, unless its status says more to whoever asked. */
  refusal(): Error;
}

/** How an attempt is made. */
export interface Attempt {
  /** What errors call it: without what must not stand in logs. */
  readonly target: string;
  /** How long the answer may take, ms. */
  readonly timeout: number;
  /** Of the turn. */
  readonly signal: AbortSignal;
}

/**
 * One POST to a URL that came with a message. Redirects are not followed; of the body of the answer at most 64 KiB are read.
 *
 * @throws AddressRefusedError, a RejectError, when the URL leads to an address that is not allowed; nothing is sent
 * @throws Error for no answer in time, or no connection
 * @throws the reason of `signal` when it aborts
 */
export async function post(
  guarded: GuardedFetch,
  url: string,
  request: Pick<RequestInit, 'headers' | 'body'>,
  { target, timeout, signal }: Attempt,
): Promise<Answer> {
  const late = AbortSignal.timeout(timeout);
  const response = await guarded
    .fetch(url, { ...request, method: 'POST', signal: AbortSignal.any([signal, late]) })
    .catch((cause: unknown) => {
      signal.throwIfAborted();
      if (cause instanceof RejectError) throw cause;
      if (late.aborted) throw new Error(`${target} got no answer within ${timeout} ms`, { cause });
      throw new Error(`${target} failed: ${reasonOf(cause)}`, { cause });
    });
  const text = excerpt(await bodyOf(response));
  const { status, ok } = response;
  const message = `${target} answered ${status}${text && `: ${text}`}`;
  return { status, ok, refusal: () => refusalOf(message, response) };
}

/** Whether another attempt will not change an answer other than 2xx: a 3xx, or a 4xx but 408, 425 and 429. */
export function isFinal(status: number): boolean {
  return status < 500 && ![408, 425, 429].includes(status);
}

/** A URL as errors and logs have it: a query often carries a token. */
export function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** A 429 or 503 may say when to come again. */
function refusalOf(message: string, { status, headers }: Response): Error {
  if (isFinal(status)) return new RejectError(message);
  if (![429, 503].includes(status)) return new Error(message);
  const after = headers.get('retry-after');
  const later = RetryLaterError.fromRetryAfter(message, after, { most: MAX_WAIT });
  // "At once" is left to the back-off.
  return later && later.options.after !== 0 ? later : new Error(message);
}

/**
 * The beginning of an answer's body. Reading it to its end lets the connection be used again; an endless or broken body
 * is left where it is and is no failure, for the status has been given.
 */
async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= READ_LIMIT) break;
    }
  } catch {
    // The deadline, the turn's signal or the receiver ended it.
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** fetch says no more than 'fetch failed'; why is in its cause, or in the causes for each address tried. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return excerpt(first instanceof Error ? first.message : String(first));
}
