import { ENCRYPTED } from '../../encryption/encrypted.js';

/** Nobody takes it for data, so its message is a dead letter, which can be mended. */
const DAMAGED = JSON.stringify({ [ENCRYPTED]: { problem: 'is no JSON in the store' } });

/**
 * A job as it is stored, with something readable in place of data that is no JSON any more. Redis keeps any text; BullMQ would
 * fail over it each time the job is taken, and show no list with it.
 */
export function mended<T extends { data: string }>(json: T): T {
  try {
    JSON.parse(json.data || '{}');
    return json;
  } catch {
    return { ...json, data: DAMAGED };
  }
}
