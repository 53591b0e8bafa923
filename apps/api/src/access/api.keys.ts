import {
  CLOCK,
  ENGINE,
  OptionError,
  type Clock,
  type Engine,
  type Json,
  type JsonObject,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import { setTimeout } from 'node:timers/promises';
import { ProblemError } from '../problem.js';
import { apiKeyIdOf, digestOf, isDigestOf, newApiKey } from './api.key.js';
import type { Permission, Role } from './permission.js';
import { permissionsOf, type Principal } from './principal.js';

/** What a new key may, and until when. */
export interface ApiKeyOptions {
  /** For people, 1 to 100 characters. */
  name: string;
  role: Role;
  /** Of what the role permits only these. Default: all. */
  permissions?: readonly Permission[];
  /** Only what is of this tenant. Default: of all. */
  tenant?: string;
  /** For how long it holds, ms. Default: until it is revoked. */
  expiresIn?: number;
}

/** A key as it is shown: without its secret, which nobody has but its holder. Times are epoch milliseconds. */
export interface ApiKeyRecord extends Omit<ApiKeyOptions, 'expiresIn'> {
  id: string;
  createdAt: number;
  /** The id of the {@link Principal} that made it. */
  createdBy: string;
  expiresAt?: number;
  rotatedAt?: number;
  /** Until when the secret of before the last rotation holds. */
  previousUntil?: number;
}

/** As it is stored. */
interface Stored extends Omit<ApiKeyRecord, 'id'> {
  revision: number;
  digest: string;
  previousDigest?: string;
}

const PREFIX = 'api-key:';
const MOST = 1_000;
/** How long keys are used before the store is asked whether they changed, ms: so long a revoked one holds elsewhere. */
const REMEMBERED = 1_000;
/** Between two looks for a key or secret that is not known, ms: whoever makes some up cannot have the store asked more often. */
const SEARCHED = 100;
/** No change comes after it. */
const LAST_REVISION = 1e9;
/** How long a mark of a revoked key stays, ms. */
const MARKED = 86_400_000;
const LONGEST_OVERLAP = 7 * 86_400_000;

/**
 * Keys that clients present. Only their digests are in the store, so who reads it has no key. Every process goes by a change within
 * a second.
 */
@Injectable()
export class ApiKeys {
  private known: ReadonlyMap<string, Stored> = new Map();
  /** By id, when keys were revoked whose marks are still there. */
  private revoked: ReadonlyMap<string, number> = new Map();
  private version?: string;
  private lookedAt = -Infinity;
  private running?: Promise<void>;
  private queued?: Promise<void>;
  private searching?: Promise<void>;

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Who presents a text; undefined when it is no key, or one that is unknown, revoked or expired. Rejects when the store is away. */
  async verify(text: string): Promise<Principal | undefined> {
    const id = apiKeyIdOf(text);
    if (id === undefined) return undefined;
    const isHeld = (stored: Stored | undefined): boolean =>
      stored !== undefined && isSecretOf(stored, text, this.clock.now());
    // Another process may just have made the key, or given it this secret.
    const stored = await this.find(id, isHeld);
    return stored && isHeld(stored) && !isOver(stored, this.clock.now())
      ? principalFor(id, stored)
      : undefined;
  }

  /** Who a key stands for, whatever its secret; undefined when it is unknown, revoked or expired. */
  async holder(id: string): Promise<Principal | undefined> {
    const stored = await this.find(id, (found) => found !== undefined);
    return stored && !isOver(stored, this.clock.now()) ? principalFor(id, stored) : undefined;
  }

  /** By id, those that expired too. */
  async list(): Promise<ApiKeyRecord[]> {
    await this.look();
    return [...this.known]
      .map(([id, stored]) => toRecord(id, stored))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** @throws ProblemError not_found */
  async get(id: string): Promise<ApiKeyRecord> {
    return toRecord(id, await this.stored(id));
  }

  /**
   * Makes a key. Its text is in the answer, and nowhere else ever.
   *
   * @throws ProblemError forbidden when it may more than who makes it
   */
  async create(
    { expiresIn, ...options }: ApiKeyOptions,
    by: Principal,
  ): Promise<{ key: string; record: ApiKeyRecord }> {
    requireWithin(options, by);
    await this.look();
    await this.forgetRevoked();
    if (this.known.size >= MOST) {
      throw new ProblemError('too_many_api_keys', `there are ${MOST} API keys: revoke some first`);
    }
    const { id, text } = newApiKey();
    const createdAt = this.clock.now();
    const stored: Stored = {
      ...options,
      revision: 1,
      digest: digestOf(text),
      createdAt,
      createdBy: by.id,
      ...(expiresIn !== undefined && { expiresAt: createdAt + expiresIn }),
    };
    await this.store(id, stored);
    return { key: text, record: toRecord(id, stored) };
  }

  /**
   * Gives a key another secret.
   *
   * @param overlap how long the one of before still holds, ms, at most seven days
   * @throws ProblemError not_found; forbidden when it may more than who asks; key_changed when somebody else changed it meanwhile, or
   *   it has expired
   */
  async rotate(
    id: string,
    overlap: number,
    by: Principal,
  ): Promise<{ key: string; record: ApiKeyRecord }> {
    if (overlap > LONGEST_OVERLAP) throw new OptionError('overlap', 'must be at most 7d');
    const before = await this.stored(id);
    requireWithin(before, by);
    if (isOver(before, this.clock.now())) {
      throw new ProblemError('key_changed', `the API key '${id}' has expired: make another`);
    }
    const { text } = newApiKey(id);
    const rotatedAt = this.clock.now();
    const stored: Stored = {
      ...before,
      revision: before.revision + 1,
      digest: digestOf(text),
      previousDigest: before.digest,
      previousUntil: rotatedAt + overlap,
      rotatedAt,
    };
    await this.store(id, stored);
    return { key: text, record: toRecord(id, stored) };
  }

  /** Ends a key for good. @throws ProblemError not_found; forbidden when it may more than who asks */
  async revoke(id: string, by: Principal): Promise<void> {
    requireWithin(await this.stored(id), by);
    // What comes late, a rotation say, must not bring it back.
    const revokedAt = this.clock.now();
    await this.engine.bind(PREFIX + id, { revision: LAST_REVISION, revokedAt });
    await this.look();
  }

  /** Marks of keys that were revoked: nobody who began before can still be changing them. */
  private async forgetRevoked(): Promise<void> {
    const old = this.clock.now() - MARKED;
    for (const [id, revokedAt] of this.revoked) {
      if (revokedAt < old) await this.engine.bind(PREFIX + id, undefined);
    }
  }

  private async stored(id: string): Promise<Stored> {
    await this.look();
    const stored = this.known.get(id);
    if (stored) return stored;
    throw new ProblemError('not_found', `there is no API key with the id '${id}'`);
  }

  private async store(id: string, stored: Stored): Promise<void> {
    // Of two that rotate a key at once both would have an answer, but only one a key that holds.
    await this.engine.bind(PREFIX + id, stored as unknown as Json, 'higher');
    await this.look();
    if (this.known.get(id)?.digest === stored.digest) return;
    throw new ProblemError('key_changed', `the API key '${id}' was changed meanwhile; look again`);
  }

  /** A key; the store is asked once more for one that is not what is sought. */
  private async find(
    id: string,
    isSought: (stored: Stored | undefined) => boolean,
  ): Promise<Stored | undefined> {
    const askedAt = performance.now();
    if (askedAt - this.lookedAt > REMEMBERED) await this.look();
    if (!isSought(this.known.get(id)) && this.lookedAt < askedAt) await this.search();
    return this.known.get(id);
  }

  /** Looks as soon as that may be again. One look for all who ask until it begins. */
  private search(): Promise<void> {
    const early = this.lookedAt + SEARCHED - performance.now();
    this.searching ??= setTimeout(Math.max(0, early)).then(() => {
      this.searching = undefined;
      return this.look();
    });
    return this.searching;
  }

  /** What the store has now. One look for all who ask while another is under way, which may have read before a change. */
  private look(): Promise<void> {
    this.queued ??= (this.running ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        this.queued = undefined;
        return (this.running = this.load());
      });
    return this.queued;
  }

  private async load(): Promise<void> {
    const lookedAt = performance.now();
    const bindings = await this.engine.bindings(this.version);
    if (bindings) {
      const own = Object.entries(bindings.owners)
        .filter(([owner]) => owner.startsWith(PREFIX))
        .map(([owner, value]) => [owner.slice(PREFIX.length), value as JsonObject] as const);
      this.known = new Map(
        own.flatMap(([id, value]) => ('digest' in value ? [[id, value as unknown as Stored]] : [])),
      );
      this.revoked = new Map(
        own.flatMap(([id, { revokedAt }]) =>
          typeof revokedAt === 'number' ? [[id, revokedAt]] : [],
        ),
      );
      this.version = bindings.version;
    }
    this.lookedAt = lookedAt;
  }
}

/** @param now the one of before holds as well until its end */
function isSecretOf(
  { digest, previousDigest, previousUntil = 0 }: Stored,
  text: string,
  now: number,
): boolean {
  return (
    isDigestOf(digest, text) ||
    (previousDigest !== undefined && previousUntil > now && isDigestOf(previousDigest, text))
  );
}

function isOver({ expiresAt = Infinity }: Stored, now: number): boolean {
  return now >= expiresAt;
}

function principalFor(id: string, { name, role, permissions, tenant }: Stored): Principal {
  return {
    id: `api-key:${id}`,
    name,
    role,
    ...(permissions && { permissions }),
    ...(tenant !== undefined && { tenant }),
  };
}

function toRecord(
  id: string,
  { revision: _, digest: __, previousDigest: ___, ...shown }: Stored,
): ApiKeyRecord {
  return { id, ...shown };
}

/** Nobody gives away what he has not. */
function requireWithin(
  { role, permissions, tenant }: Pick<ApiKeyOptions, 'role' | 'permissions' | 'tenant'>,
  by: Principal,
): void {
  const own = permissionsOf(by);
  const wanted = permissionsOf({ id: '', name: '', role, ...(permissions && { permissions }) });
  const more = wanted.filter((permission) => !own.includes(permission));
  if (more.length === 0 && (by.tenant === undefined || by.tenant === tenant)) return;
  throw new ProblemError(
    'forbidden',
    more.length > 0
      ? `the key would permit ${more.join(', ')}, which you may not`
      : `the key would not be of the tenant '${by.tenant}'`,
  );
}
