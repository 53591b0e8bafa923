import { when, type Check } from './check.js';

/** Which keys are configured, and which have encrypted what was looked at. */
export interface Encrypted {
  /** The first encrypts. */
  keys: readonly string[];
  used: readonly string[];
}

export const ENCRYPTION: readonly Check<Encrypted>[] = [
  {
    id: 'encryption-key-missing',
    severity: 'error',
    find: ({ keys, used }) => {
      const missing = used.filter((id) => !keys.includes(id));
      return when(
        missing.length > 0,
        `payloads are encrypted with ${missing.join(', ')}, which is not among the keys`,
      );
    },
    fix: 'put the key into CALLSHEET_ENCRYPTION_KEYS, behind the first: nobody can read these without it',
  },
  {
    id: 'encryption-key-old',
    severity: 'warning',
    find: ({ keys, used }) => {
      const old = used.filter((id) => keys.slice(1).includes(id));
      return when(old.length > 0, `${old.join(', ')} still encrypts payloads, beside ${keys[0]}`);
    },
    fix: 'run npm run encryption:rotate, and leave the old key where it is until that says it may go',
  },
];

/** Id of the key that has encrypted a payload, as it is stored; undefined: none, or it cannot be read. */
export function keyIn(data: string | null): string | undefined {
  return /^\{"\$encrypted":\{"kid":"([\w-]{1,32})"/.exec(data ?? '')?.[1];
}
