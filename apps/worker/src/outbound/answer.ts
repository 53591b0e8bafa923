import type { Response } from 'undici';
import { excerpt } from '../excerpt.js';

/** Bytes of an answer that are read at most: enough to say what went wrong. */
const READ_LIMIT = 64 * 1024;
/** The longest wait a receiver can ask for: one hour, in milliseconds. */
const MAX_WAIT = 3_600_000;

/** Milliseconds that a 429 or 503 asks to wait, at most an hour; 0 for other answers, and when it does not say. */
export function retryAfterOf({ status, headers }: Response): number {
  return [429, 503].includes(status) ? retryAfter(headers.get('retry-after')) : 0;
}

/** Milliseconds a `Retry-After` asks for, as seconds or as an HTTP date; 0 when absent, past or unreadable. */
function retryAfter(value: string | null): number {
  const text = value?.trim() ?? '';
  const wait = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : text.endsWith('GMT')
      ? Date.parse(text) - Date.now()
      : 0;
  return wait > 0 ? Math.min(wait, MAX_WAIT) : 0;
}

/**
 * The beginning of an answer's body. Reading it to its end lets the connection be used again; an endless or broken body
 * is left where it is and is no failure, for the status has been given.
 */
export async function bodyOf(response: Response): Promise<string> {
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
