import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EncryptedEngine } from '../../libs/messaging/src/encryption/encrypted.engine.js';
import { unreadable } from '../../libs/messaging/src/encryption/encrypted.js';
import { KeyRing } from '../../libs/messaging/src/encryption/key.ring.js';
import { Rotation } from '../../libs/messaging/src/encryption/rotation.js';
import type {
  Delivery,
  Engine,
  Outcome,
  SearchPlace,
  Transaction,
} from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import { termOf } from '../../libs/messaging/src/search.term.js';
import { serverSuite } from '../support/available.js';
import { eventually } from '../support/eventually.js';
import { sharedPglite } from '../support/pglite.shared.js';
import { startPostgres, type PostgresServer } from '../support/postgres.server.js';
import { startRedis, type RedisServer } from '../support/redis.server.js';
import type { Case } from './case.js';
import { cases } from './cases.js';
import { Context, dead, done, doneWith, quarantine, retry, type Driver } from './context.js';
import { reaches } from './expect.js';
import { runCase } from './suite.js';

const keyOf = (id: string, byte: number): string =>
  `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const [k1, k2] = [keyOf('k1', 1), keyOf('k2', 2)];
const ringOf = (...keys: string[]): KeyRing => KeyRing.parse(keys.join(','))!;

/** What a store does with payloads: each way there and back, and what compares, edits, replaces and orders them. */
const PROMISES = [
  'what a message says beside its data arrives as it was sent, and is read so too',
  'a batch with one refused message stores none',
  'the same id and body again changes nothing, in whatever state the message is',
  'of many concurrent sends of one id one is stored, and one body wins',
  'a turn gets the state that the last turn of its key left, with the number of commits',
  'a turn that does not succeed leaves the state as it was',
  'a turn on a revision that is no longer the last commits nothing',
  'what is in work and what ended is listed by its state, the newest end first',
  'messages are found by their terms in whatever state, sent last first, page by page',
  'what a turn sends is found by its terms, and what a refused send had is not',
  'what is replaced, edited or discarded is found by what it has now',
  'a message remembers what its turn sent, the first twenty, and how many',
  'a read does not wait for its key, takes no room in it, and sees what is committed',
  'a turn of a key arms its own timer again, with its state',
  'a forgotten key has neither state nor journal, and its next turn begins as a new one',
  'a turn forgets nothing that is refused, or began with a state that is not the last',
  'a send joins the transaction of its caller: stored if it commits, not if it rolls back',
];

const CANARY = 'canary-7f3a';

/** Puts something into whatever can hold it, and answers when all of it is in the store. */
async function fill(context: Context, engine: Engine): Promise<void> {
  const { actor, other } = context;
  const data = { note: CANARY };
  const failure = (delivery: Delivery): Delivery => ({ ...delivery });
  const withCanary = (outcome: Outcome): Outcome =>
    'attempt' in outcome
      ? {
          ...outcome,
          attempt: {
            ...outcome.attempt,
            error: { name: 'Boom', message: `on ${CANARY}`, stack: `Boom: on ${CANARY}` },
          },
        }
      : outcome;
  const ends: Record<string, (delivery: Delivery) => Outcome> = {
    done: ({ state }) =>
      doneWith({
        sends: [context.envelope({ actor: other, data })],
        state: { data, revision: state?.revision ?? 0, version: 1 },
        journal: { rows: [data], keep: 9 },
        reply: { data },
      }),
    dead,
    edited: dead,
    retry: retry(600_000),
    quarantine,
  };
  const send = Object.keys(ends).map((end) =>
    context.envelope({ type: `${actor}.${end}`, key: end, data }),
  );
  const named = context.named(context.id('named'), CANARY, { actor: other, data });
  const late = context.envelope({ actor: other, data, dueAt: Date.now() + 600_000 });
  await engine.send([...send, named, late]);
  await context.consume(engine, (delivery) => {
    const end = delivery.envelope.type.split('.')[1] ?? '';
    return withCanary(ends[end]!(failure(delivery)));
  });
  const [done, died, edited] = send;
  await reaches(context, engine, done!.id, 'done');
  await reaches(context, engine, died!.id, 'dead');
  const before = await reaches(context, engine, edited!.id, 'dead');
  await engine.redrive(edited!.id, [actor], { data: { note: `${CANARY} edited` } });
  await eventually(async () => {
    const record = await engine.find(edited!.id, [actor]);
    expect(record).toMatchObject({ state: 'dead', redrives: before.redrives + 1 });
  });
  await eventually(async () => expect(await engine.quarantined(actor)).toHaveLength(1));
  await eventually(async () => expect(await engine.counts(actor)).toMatchObject({ delayed: 1 }));
}

/** How many messages a key has seen, and which. */
const listing = ({ envelope, state }: Delivery): Outcome => {
  const seen = (state?.data ?? []) as string[];
  const revision = state?.revision ?? 0;
  return doneWith({
    state: { data: [...seen, envelope.id], revision, version: 1 },
    reply: { data: envelope.data['n'] ?? null },
  });
};

function encryptedContract(driver: Driver, dump: (engine: Engine) => Promise<string>): void {
  const encrypted = { ...driver, ring: ringOf(k2, k1) };
  describe(`encrypted: ${driver.name}`, () => {
    let url: string;
    beforeAll(async () => {
      url = await driver.url();
    });

    const found = cases.filter(({ promise }) => PROMISES.includes(promise));
    it('tries cases that there are', () => {
      expect(found.map(({ promise }) => promise).sort()).toEqual([...PROMISES].sort());
    });

    const ours = found.filter(({ needs }) => !needs || !driver.lacks[needs]);
    it.each(ours.map((each): [string, Case] => [each.promise, each]))('%s', async (_, each) => {
      await runCase(each, encrypted, url);
    });

    it('the store holds no word of any payload', async () => {
      const context = new Context(encrypted, url);
      try {
        const engine = await context.engine();
        await fill(context, engine);
        const text = await dump((engine as EncryptedEngine).inside);
        expect(text).toContain(context.actor);
        expect(text).toContain('$encrypted');
        expect(text).not.toContain(CANARY);
        expect(text).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 12));
      } finally {
        await context.close();
      }
    });

    it('finds by terms under every key of the ring, in one order, and keeps none of them plain', async () => {
      const context = new Context(driver, url);
      try {
        const { actor } = context;
        const inside = await context.engine();
        const as = (ring: KeyRing) => new EncryptedEngine(inside, ring);
        const engines = [inside, as(ringOf(k1)), as(ringOf(k2, k1))];
        const term = termOf('note', `${CANARY} ${actor}`);
        const now = Date.now();
        const sent = Array.from({ length: 12 }, (_, n) =>
          context.envelope({ terms: [term], sentAt: now + n }),
        );
        for (const [n, each] of sent.entries()) await engines[n % 3]!.send([each]);
        const find = async (engine: Engine, limit: number) => {
          const found: string[] = [];
          let after: SearchPlace | undefined;
          do {
            const page = { limit, ...(after && { after }) };
            const { items, next } = await engine.search([actor], term, page);
            found.push(...items.map(({ envelope }) => envelope.id));
            after = next;
          } while (after && found.length < 50);
          return found;
        };
        const ids = sent.map(({ id }) => id).reverse();
        for (const limit of [1, 5, 50]) expect(await find(engines[2]!, limit)).toEqual(ids);
        const plain = ids.filter((_, n) => n % 3 === 2);
        expect(await find(inside, 3)).toEqual(plain);
        expect(await find(as(ringOf(k2)), 50)).toHaveLength(8);
        const stored = await inside.find(sent[1]!.id, [actor]);
        expect(stored?.envelope.terms).not.toContain(term);
      } finally {
        await context.close();
      }
    });

    it('which would have been found', async () => {
      const context = new Context(driver, url);
      try {
        const engine = await context.engine();
        await engine.send([context.envelope({ data: { note: CANARY } })]);
        expect(await dump(engine)).toContain(CANARY);
      } finally {
        await context.close();
      }
    });

    it('a rotation rewrites dead letters, with their errors, so that the old key may go', async () => {
      const context = new Context({ ...driver, ring: ringOf(k1) }, url);
      try {
        const { actor } = context;
        const before = await context.engine();
        const { consumer } = await context.consume(before, (delivery) =>
          delivery.attempt === 1 ? retry(0)(delivery) : dead(delivery),
        );
        const sent = [1, 2, 3].map((n) => context.envelope({ key: 'k', data: { n } }));
        await before.send(sent);
        await eventually(async () => (await before.counts(actor)).dead === 3);
        await consumer.stop(0);
        const letters = await before.deadLetters([actor], { limit: 9 });
        const { inside } = before as EncryptedEngine;
        const rotate = async (within: number, ...ring: string[]) => {
          const engine = new EncryptedEngine(inside, ringOf(...ring));
          return new Rotation(inside, engine, engine.ring, within).rotate(actor);
        };
        // Without the key they stay as they are, and when there is no time.
        expect(await rotate(20_000, k2)).toMatchObject({ rewritten: 0, dead: 3 });
        expect(await rotate(0, k2, k1)).toMatchObject({ rewritten: 0, dead: 3 });
        expect(await rotate(20_000, k2, k1)).toMatchObject({ rewritten: 3, dead: 0 });
        expect(await rotate(20_000, k2, k1)).toMatchObject({ rewritten: 0, dead: 0 });
        const alone = new EncryptedEngine(inside, ringOf(k2));
        expect(await alone.deadLetters([actor], { limit: 9 })).toEqual(letters);
        expect(letters[0]?.history).toHaveLength(2);
        const stored = JSON.stringify(await inside.deadLetters([actor], { limit: 9 }));
        expect(stored).not.toContain('"kid":"k1"');
        expect(stored).not.toContain('failure 1');
        const { deliveries } = await context.consume(alone);
        expect(await alone.redrive(sent[0]!.id, [actor])).toBe(true);
        await reaches(context, alone, sent[0]!.id, 'done');
        expect(deliveries[0]?.envelope).toEqual(sent[0]);
      } finally {
        await context.close();
      }
    });

    it('a rotation encrypts the states of all keys again, by their turns, and counts the rest', async () => {
      const context = new Context({ ...driver, ring: ringOf(k1) }, url);
      try {
        const { actor } = context;
        const before = await context.engine();
        const { consumer } = await context.consume(before, listing);
        const sent = Array.from({ length: 30 }, (_, n) => context.envelope({ key: `k${n % 10}` }));
        await before.send(sent);
        await eventually(async () => (await before.counts(actor)).done === 30);
        await consumer.stop(0);
        const inside = (before as EncryptedEngine).inside;
        const ring = ringOf(k2, k1);
        const after = new EncryptedEngine(inside, ring);
        const rotate = (within: number) => new Rotation(inside, after, ring, within).rotate(actor);
        // Nobody works: nothing is rotated, and it says so.
        expect(await rotate(100)).toMatchObject({ rotated: 0, states: 10, rows: 0, dead: 0 });
        await context.consume(after, listing);
        expect(await rotate(20_000)).toMatchObject({ rotated: 10, states: 0 });
        expect(await rotate(20_000)).toMatchObject({
          rotated: 0,
          states: 0,
          waiting: inside.queue ? 0 : undefined,
        });
        const alone = new EncryptedEngine(inside, ringOf(k2));
        for (let n = 0; n < 10; n++) {
          const own = sent.filter(({ key }) => key === `k${n}`).map(({ id }) => id);
          expect((await alone.state(actor, `k${n}`))?.data).toEqual(own);
        }
      } finally {
        await context.close();
      }
    });
  });
}

interface Pool {
  connect(): Promise<Transaction & { release(): void }>;
}

/** All that BullMQ and Callsheet have in a database. */
async function tables(engine: Engine): Promise<string> {
  interface Sql {
    query(text: string): Promise<{ rows: Record<string, string>[] }>;
  }
  const { connection } = (engine.queue!('any') as { opts: { connection: Sql } }).opts;
  const names = await connection.query(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const found: unknown[] = [];
  for (const { name } of names.rows)
    found.push((await connection.query(`SELECT * FROM ${name}`)).rows);
  return JSON.stringify(found);
}

encryptedContract(
  {
    name: 'memory',
    url: async () => 'memory:',
    lacks: { shared: 'lives in one process', sql: 'speaks no SQL', bullmq: 'has no queues' },
  },
  // Everything that it remembers, whatever it is called.
  async (engine) =>
    (await import('node:util')).inspect(engine, { depth: 30, maxArrayLength: null }),
);

const pglite = sharedPglite();
encryptedContract(
  {
    name: 'PGlite',
    url: async () => pglite,
    lacks: {
      shared: 'belongs to one process',
      sql: 'has one connection, which that case waits for nine seconds; PostgreSQL tries the same code',
    },
  },
  tables,
);

serverSuite('postgres', 'PostgreSQL', () => {
  let server: PostgresServer | undefined;
  afterAll(() => server?.stop());
  const driver: Driver = {
    name: 'PostgreSQL',
    url: async () => (server = await startPostgres()).createDatabase(),
    lacks: {},
  };
  encryptedContract(driver, tables);

  it('a transaction of the caller outlives an id that was sent with an older key', async () => {
    const context = new Context(driver, await server!.createDatabase());
    try {
      const inside = await context.engine();
      const [sent, fresh] = [context.named('old'), context.named('new')];
      await new EncryptedEngine(inside, ringOf(k1)).send([sent]);
      const engine = new EncryptedEngine(inside, ringOf(k2, k1));
      const pool = (inside.queue!(context.actor) as { opts: { connection: Pool } }).opts.connection;
      const session = await pool.connect();
      try {
        await session.query('BEGIN', []);
        await session.query('CREATE TABLE public.mine (id integer)', []);
        await engine.send([sent, fresh], session);
        await session.query('COMMIT', []);
        const mine = await session.query('SELECT * FROM public.mine', []);
        expect(mine).toMatchObject({ rowCount: 0 });
      } finally {
        session.release();
      }
      expect(await inside.counts(context.actor)).toMatchObject({ waiting: 2 });
    } finally {
      await context.close();
    }
  });
});

serverSuite('redis-server', 'Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis({ appendonly: true });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  const driver: Driver = {
    name: 'Redis',
    url: async () => server.url,
    lacks: { sql: 'speaks no SQL' },
  };

  encryptedContract(driver, async () => {
    const found: unknown[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 500);
      for (const key of keys) found.push(key, await contentOf(key));
      cursor = next;
    } while (cursor !== '0');
    return JSON.stringify(found);
  });

  async function contentOf(key: string): Promise<unknown> {
    switch (await redis.type(key)) {
      case 'hash':
        return redis.hgetall(key);
      case 'list':
        return redis.lrange(key, 0, -1);
      case 'set':
        return redis.smembers(key);
      case 'zset':
        return redis.zrange(key, '0', '-1');
      case 'stream':
        return redis.xrange(key, '-', '+');
      default:
        return redis.get(key);
    }
  }

  it('what somebody changes in the store is a dead letter, and its turn never begins', async () => {
    const context = new Context({ ...driver, ring: ringOf(k1) }, server.url);
    try {
      const { actor } = context;
      const engine = await context.engine();
      const sent = Array.from({ length: 6 }, (_, n) => context.envelope({ data: { n } }));
      await engine.send(sent);
      const field = (n: number): string => `{callsheet}:${actor}:${sent[n]!.id}`;
      const texts = await Promise.all(
        sent.map((_, n) => redis.hget(field(n), 'data') as Promise<string>),
      );
      const hidden = (n: number) =>
        (JSON.parse(texts[n]!) as { $encrypted: { text: string; tag: string } }).$encrypted;
      const write = (n: number, value: unknown) =>
        redis.hset(field(n), 'data', JSON.stringify(value));
      const flipped = Buffer.from(hidden(1).text, 'base64');
      flipped[3]! ^= 1;
      await write(0, { $encrypted: { ...hidden(0), text: hidden(0).text.slice(0, -4) } });
      await write(1, { $encrypted: { ...hidden(1), text: flipped.toString('base64') } });
      await write(2, { $encrypted: { ...hidden(2), tag: hidden(2).tag.slice(0, 8) } });
      // Two that change places.
      await redis.hset(field(3), 'data', texts[4]!);
      await redis.hset(field(4), 'data', texts[3]!);
      const { deliveries } = await context.consume(engine, (delivery) =>
        unreadable(delivery.envelope) === undefined ? done() : dead(delivery),
      );
      await eventually(() => deliveries.length === 6);
      const opened = deliveries.map(({ envelope }) => unreadable(envelope) === undefined);
      expect(opened).toEqual([false, false, false, false, false, true]);
      expect(deliveries.at(-1)?.envelope.data).toEqual({ n: 5 });
    } finally {
      await context.close();
    }
  });

  it.each([
    ['encrypted', ringOf(k1)],
    ['plain', undefined],
  ])(
    'what was cut in the store, and was %s, is a dead letter, which can be mended',
    async (_, ring) => {
      const context = new Context({ ...driver, ...(ring && { ring }) }, server.url);
      try {
        const { actor } = context;
        const engine = await context.engine();
        const sent = [context.envelope({ data: { n: 1 } }), context.envelope({ data: { n: 2 } })];
        await engine.send(sent);
        const job = `{callsheet}:${actor}:${sent[0]!.id}`;
        const text = (await redis.hget(job, 'data')) as string;
        await redis.hset(job, 'data', text.slice(0, -3));
        const { deliveries } = await context.consume(engine, (delivery) =>
          unreadable(delivery.envelope) === undefined ? done() : dead(delivery),
        );
        await reaches(context, engine, sent[1]!.id, 'done');
        const letter = await reaches(context, engine, sent[0]!.id, 'dead');
        expect(unreadable(letter.envelope)).toMatch(/is no JSON|is not in that form/);
        expect(await engine.deadLetters([actor], { limit: 9 })).toHaveLength(1);
        expect(await engine.redrive(sent[0]!.id, [actor], { data: { n: 3 } })).toBe(true);
        await reaches(context, engine, sent[0]!.id, 'done');
        expect(deliveries.at(-1)?.envelope.data).toEqual({ n: 3 });
      } finally {
        await context.close();
      }
    },
  );

  it('a rotation under load loses no message, and no step of any state', async () => {
    const context = new Context(driver, server.url);
    try {
      const { actor } = context;
      const inside = await context.engine();
      const [keys, each] = [6, 60];
      const as = (...ring: string[]): Engine => new EncryptedEngine(inside, ringOf(...ring));
      const turn = async (delivery: Delivery): Promise<Outcome> => {
        // As the turn runner does, which handlers never pass.
        if (unreadable(delivery.envelope) !== undefined) return dead(delivery);
        return listing(delivery);
      };
      const sent: Envelope[] = [];
      const sendSome = async (engine: Engine): Promise<void> => {
        for (let n = 0; n < each / 4; n++) {
          const some = Array.from({ length: keys }, (_, k) => {
            const at = sent.length + k;
            return context.named(context.id(`m${at}`), `${at}`, { key: `k${k}`, data: { n: at } });
          });
          await engine.send(some);
          // A client that got no answer.
          await engine.send(some.slice(0, 1));
          sent.push(...some);
        }
      };
      const [one, learnt, turned, two] = [as(k1), as(k1, k2), as(k2, k1), as(k2)];
      const options = { concurrency: 3 };
      const oldest = await context.consume(one, turn, options);
      await sendSome(one);
      const older = await context.consume(learnt, turn, options);
      await sendSome(learnt);
      await oldest.consumer.stop(5_000);
      // Those that know both keys work together, whichever of them is the first.
      const newer = await context.consume(turned, turn, options);
      await Promise.all([sendSome(turned), turned.send(sent.slice(0, 50))]);
      await older.consumer.stop(5_000);
      const rotation = new Rotation(inside, turned, ringOf(k2, k1), 20_000);
      const [report] = await Promise.all([rotation.rotate(actor), sendSome(turned)]);
      expect(report).toMatchObject({ states: 0, dead: 0 });
      await eventually(async () => (await inside.counts(actor)).waiting === 0, { timeout: 20_000 });
      await newer.consumer.stop(5_000);
      await context.consume(two, turn, options);
      const last = Array.from({ length: keys }, (_, k) => context.envelope({ key: `k${k}` }));
      await two.send(last);
      for (const { id } of last) await reaches(context, two, id, 'done');
      sent.push(...last);
      expect(sent).toHaveLength(keys * each + keys);
      expect(await inside.counts(actor)).toMatchObject({
        dead: 0,
        waiting: 0,
        delayed: 0,
        active: 0,
      });
      for (let k = 0; k < keys; k++) {
        const own = sent.filter(({ key }) => key === `k${k}`).map(({ id }) => id);
        expect((await two.state(actor, `k${k}`))?.data).toEqual(own);
      }
    } finally {
      await context.close();
    }
  });
});
