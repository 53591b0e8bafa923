import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import type { Carried } from '../codec.js';
import type { Json } from '../json.js';
import { OptionError } from '../messaging.errors.js';
import {
  ENCRYPTED,
  ENCRYPTED_TYPES,
  encryptedIn,
  KEY_ID,
  missingKey,
  type Encrypted,
} from './encrypted.js';

/** What a value belongs to: what kind of value it is, and whose. It decrypts only where all of it is the same. */
export type Belonging = readonly (string | number | undefined)[];

/** What came of decrypting: the value, or why there is none. */
export type Opened = { readonly value: Json } | { readonly problem: string };

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const TAG_BYTES = 16;
/**
 * Of the 28 bytes the first 16 make, of a key of the ring, the key of this value and of others that the process writes; the other
 * 12 are its IV: random ones under the key itself would meet too soon.
 */
const SALT_BYTES = 16;
const IV_BYTES = SALT_BYTES + 12;
/** After so many values a process takes another salt. */
const VALUES_OF_SALT = 2 ** 20;
const DRAWN = 512;
const MOST_DERIVED = 1_000;
const MOST_KEYS = 16;
/** In place of the first key. */
const NONE = 'none';
const SECRET = /^[A-Za-z0-9+/]{43}=?$|^[A-Za-z0-9_-]{43}=?$/;

/** Keys by id: the first encrypts, all decrypt. Shows nothing of them, however it is printed. */
export class KeyRing {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #derived = new Map<string, KeyObject>();
  #salt = Buffer.alloc(0);
  #random = Buffer.alloc(0);
  #used = 0;

  /**
   * @param keys by id, 32 bytes each; at least one
   * @param first id of the key that encrypts; undefined: none does
   */
  private constructor(
    keys: ReadonlyMap<string, KeyObject>,
    readonly first: string | undefined,
  ) {
    this.#keys = keys;
  }

  /**
   * Keys as text: `<id>:<base64 of 32 bytes>`, with commas between; behind `none` they only decrypt. Undefined, or empty: no ring.
   *
   * @param path names the text in errors
   * @throws OptionError, which shows nothing of a key
   */
  static parse(text: string | undefined, path = 'encryption.keys'): KeyRing | undefined {
    if (text === undefined || text === '') return undefined;
    if (typeof text !== 'string') throw new OptionError(path, 'must be text');
    const entries = text.split(',').map((entry) => entry.trim());
    const isIdle = entries.length > 1 && entries[0] === NONE;
    if (isIdle) entries.shift();
    if (entries.length > MOST_KEYS) throw new OptionError(path, `must be at most ${MOST_KEYS}`);
    const keys = new Map<string, KeyObject>();
    for (const [index, entry] of entries.entries()) {
      const [id, key] = parseKey(entry, index + 1, path);
      if (keys.has(id)) throw new OptionError(path, `must not have two keys with the id '${id}'`);
      if ([...keys.values()].some((other) => other.equals(key))) {
        throw new OptionError(path, 'must not have the same key under two ids');
      }
      keys.set(id, key);
    }
    return new KeyRing(keys, isIdle ? undefined : [...keys.keys()][0]);
  }

  /** A value with what the codec notes of it; as it is when no key encrypts. */
  seal(carried: Carried, belonging: Belonging): Carried {
    if (this.first === undefined) return carried;
    const { data, types } = carried;
    const plain = JSON.stringify(types === undefined ? [data] : [data, types]);
    return {
      data: { [ENCRYPTED]: this.encrypt(plain, belonging, this.first) as unknown as Json },
      types: ENCRYPTED_TYPES,
    };
  }

  /** A value that is plain comes back as it is; one that cannot be decrypted as it is, with the reason in it. */
  open(carried: Carried, belonging: Belonging): Carried {
    const encrypted = encryptedIn(carried);
    if (!encrypted) return carried;
    const opened = this.decrypt(encrypted, belonging);
    if ('problem' in opened) {
      const { kid = '', iv = '', tag = '', text = '' } = encrypted;
      const { problem } = opened;
      return { data: { [ENCRYPTED]: { kid, iv, tag, text, problem } }, types: ENCRYPTED_TYPES };
    }
    const [data = null, types] = opened.value as Json[];
    return types === undefined ? { data } : { data, types };
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** Whether a value is encrypted with the first key; plain, when no key encrypts. */
  isCurrent(carried: Carried): boolean {
    const encrypted = encryptedIn(carried);
    return this.first === undefined ? !encrypted : encrypted?.kid === this.first;
  }

  /** @param kid of the first key */
  encrypt(plain: string, belonging: Belonging, kid: string): Encrypted {
    const nonce = this.nextNonce();
    const cipher = createCipheriv(
      CIPHER,
      this.derived(kid, nonce) as KeyObject,
      nonce.subarray(SALT_BYTES),
      { authTagLength: TAG_BYTES },
    );
    cipher.setAAD(boundTo(belonging));
    // GCM holds nothing back for the end.
    const text = cipher.update(plain, 'utf8');
    cipher.final();
    return {
      kid,
      iv: nonce.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      text: text.toString('base64'),
    };
  }

  decrypt({ kid, iv, tag, text }: Partial<Encrypted>, belonging: Belonging): Opened {
    if (kid === undefined || !this.#keys.has(kid)) return { problem: missingKey(kid) };
    const nonce = bytesOf(iv);
    const proof = bytesOf(tag);
    const hidden = bytesOf(text);
    if (nonce?.length === IV_BYTES && proof?.length === TAG_BYTES && hidden) {
      try {
        const key = this.derived(kid, nonce) as KeyObject;
        const cipher = createDecipheriv(CIPHER, key, nonce.subarray(SALT_BYTES), {
          authTagLength: TAG_BYTES,
        });
        cipher.setAAD(boundTo(belonging));
        cipher.setAuthTag(proof);
        const plain = cipher.update(hidden);
        cipher.final();
        return { value: JSON.parse(plain.toString()) as Json };
      } catch {
        // Whatever is wrong with it, it is not what was stored here.
      }
    }
    return {
      problem: `cannot be decrypted with key '${kid}': it was changed, or belongs elsewhere, or this process has another key of that id`,
    };
  }

  /**
   * Digests that may stand for the body of a message: that to be stored first, then those of the other keys, and that of the
   * body alone, as it is stored without keys. Who has no key cannot try which body one belongs to, nor see that two messages
   * have the same.
   */
  digests(id: string, fingerprint: string): string[] {
    const keyed = [...this.#keys.values()].map((key) =>
      createHmac('sha256', key)
        .update(`fingerprint ${fingerprint} ${id}`)
        .digest('hex')
        .slice(0, 32),
    );
    return this.first === undefined ? [fingerprint, ...keyed] : [...keyed, fingerprint];
  }

  /**
   * What may stand for a term: that to be stored first, then those of the other keys, and the term itself. Who has no key cannot try
   * which value one belongs to; he sees that two messages have the same.
   */
  terms(term: string): string[] {
    const keyed = [...this.#keys.values()].map((key) =>
      createHmac('sha256', key).update(`term ${term}`).digest('base64url').slice(0, term.length),
    );
    return this.first === undefined ? [term, ...keyed] : [...keyed, term];
  }

  /** Random bytes are drawn for many values at once: for twelve alone it takes as long. */
  private nextNonce(): Buffer {
    const own = IV_BYTES - SALT_BYTES;
    if (this.#used % VALUES_OF_SALT === 0) this.#salt = randomBytes(SALT_BYTES);
    const at = (this.#used++ % DRAWN) * own;
    if (at === 0) this.#random = randomBytes(DRAWN * own);
    return Buffer.concat([this.#salt, this.#random.subarray(at, at + own)]);
  }

  /** The key for values of one salt. Those that were used last are kept: a process writes many values with each. */
  private derived(id: string, nonce: Buffer): KeyObject | undefined {
    const name = id + nonce.toString('latin1', 0, SALT_BYTES);
    const known = this.#derived.get(name);
    const key = this.#keys.get(id);
    if (known || !key) return known;
    if (this.#derived.size >= MOST_DERIVED) this.#derived.clear();
    const salt = nonce.subarray(0, SALT_BYTES);
    const made = createSecretKey(
      createHmac('sha256', key).update('payload ').update(salt).digest(),
    );
    this.#derived.set(name, made);
    return made;
  }
}

function parseKey(entry: string, place: number, path: string): [string, KeyObject] {
  const [id = '', secret = '', ...rest] = entry.split(':');
  if (rest.length > 0 || !KEY_ID.test(id) || !SECRET.test(secret)) {
    throw new OptionError(
      path,
      `must be <id>:<base64 of 32 bytes>, with commas between; number ${place} is not (ids have 1 to 32 letters, digits, _ and -)`,
    );
  }
  const bytes = Buffer.from(secret, 'base64');
  if (bytes.length !== KEY_BYTES) {
    throw new OptionError(path, `must have keys of ${KEY_BYTES} bytes; number ${place} has not`);
  }
  return [id, createSecretKey(bytes)];
}

function boundTo(belonging: Belonging): Buffer {
  return Buffer.from(JSON.stringify(belonging));
}

/** Only as it was written: base64 has several texts for the same bytes. */
function bytesOf(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
