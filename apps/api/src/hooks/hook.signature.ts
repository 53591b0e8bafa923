import { isSigned } from '@callsheet/contracts';
import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError } from '../problem.js';

/** How far the time of a webhook may be from the clock here, seconds. */
const TOLERANCE = 300;
/** With its source it is the id of an event. */
const ID = /^[!-~]{1,100}$/;
const SECONDS = /^\d{1,12}$/;

/**
 * The id of a webhook that is signed with one of the keys, after Standard Webhooks.
 *
 * @param bytes the body, byte for byte
 * @param now milliseconds since the epoch
 * @throws ProblemError `bad_signature` for missing headers, a time more than five minutes ago or ahead, or no right signature
 */
export function signedId(
  headers: IncomingHttpHeaders,
  bytes: Buffer,
  secrets: readonly Buffer[],
  now = Date.now(),
): string {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signature = headerOf(headers, 'webhook-signature');
  if (!ID.test(id)) throw refusal('webhook-id must be 1 to 100 visible ASCII characters');
  if (!SECONDS.test(timestamp)) throw refusal('webhook-timestamp must be seconds since 1970');
  if (Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE) {
    throw refusal('webhook-timestamp is more than five minutes from the clock here');
  }
  // What was signed begins with the timestamp as it was sent; 007 is not how anybody writes it.
  if (!isSigned(secrets, signature, id, Number(timestamp), bytes)) {
    throw refusal('webhook-signature has no signature of this body with a key that is known');
  }
  return id;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  if (typeof value === 'string') return value;
  throw refusal(`the header ${name} is missing`);
}

function refusal(detail: string): ProblemError {
  return new ProblemError('bad_signature', detail);
}
