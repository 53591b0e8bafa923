import { digestOf } from '../digest.js';

/** An id as part of a Message-ID and of a file name: itself when that is safe, else shortened and with a digest. */
export function mailName(id: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,99}$/.test(id)) return id;
  return `${id.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 40)}-${digestOf(id, 16)}`;
}
