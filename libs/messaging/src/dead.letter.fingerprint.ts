import { createHash } from 'node:crypto';

/** What a message died of. */
export interface Death {
  actor: string;
  type: string;
  reason: string | undefined;
  error: { name: string; message: string; code?: string } | undefined;
}

/** Parts of a message that differ from one occurrence of a trouble to the next: quoted text, addresses, ids, numbers. */
const VARYING = /"[^"]*"|'[^']*'|`[^`]*`|\S+@\S+|\bhttps?:\S+|\b[0-9a-z]*\d[0-9a-z-]*\b/gi;

/** The same for messages that died of the same trouble: 12 hexadecimal digits. */
export function fingerprintOfDeath({ actor, type, reason, error }: Death): string {
  const { name = '', message = '', code = '' } = error ?? {};
  const trouble = [actor, type, reason ?? '', name, code, message.replace(VARYING, '?')];
  return createHash('sha256').update(trouble.join('\0')).digest('hex').slice(0, 12);
}
