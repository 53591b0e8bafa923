import type { Job, JobsOptions, Queue } from 'bullmq';
import { expect } from 'vitest';
import type { TurnBackend } from '../../libs/messaging/src/drivers/bullmq/bullmq.store.js';
import type { Engine } from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import type { ActorQueue } from '../../libs/messaging/src/queues.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { done, doneWith, quarantine, retry, type Consumed, type Context } from './context.js';
import { MailboxFullError } from '../../libs/messaging/src/messaging.errors.js';
import { field, ids, reaches } from './expect.js';
import { gate, type Gate } from './gate.js';

/** Keyed messages, and an operator with BullMQ's own commands. */
export class Operation {
  private readonly held: Gate = gate();
  private consumed?: Consumed;

  private constructor(
    readonly context: Context,
    readonly engine: Engine,
    readonly queue: Queue,
  ) {}

  static async begin(context: Context): Promise<Operation> {
    const engine = await context.engine();
    return new Operation(context, engine, engine.queue?.(context.actor) as Queue);
  }

  /** One message of a key, which is told by `n`. */
  message(n: unknown, fields: Partial<Envelope> = {}): Envelope {
    return this.context.envelope({ key: 'k', data: { n } as Envelope['data'], ...fields });
  }

  /** Consumes: what says `hold` is held in work until {@link open}, the first attempt of `later` is due again in a minute. */
  async consume(): Promise<void> {
    this.consumed = await this.context.consume(
      this.engine,
      async (delivery) => {
        const { data } = delivery.envelope;
        if (data['n'] === 'hold') await this.held.opened;
        if (data['n'] === 'later' && delivery.attempt === 1) return retry(60_000)(delivery);
        return done();
      },
      { concurrency: 4 },
    );
  }

  /** A message that is held in work, and others parked behind it. */
  async line(...behind: unknown[]): Promise<Envelope[]> {
    const sent = ['hold', ...behind].map((n) => this.message(n));
    await this.engine.send(sent);
    await eventually(() => ids(this.consumed?.deliveries ?? []).includes(sent[0]!.id));
    return sent;
  }

  open(): void {
    this.held.open();
  }

  async state({ id }: Envelope): Promise<string | undefined> {
    return (await this.engine.find(id, [this.context.actor]))?.state;
  }

  /** Waits until so many are done; answers what began, in order. */
  async after(count: number): Promise<unknown[]> {
    await eventually(async () => (await this.engine.counts(this.context.actor)).done === count);
    return field(this.consumed?.deliveries ?? [], 'n');
  }

  /** Mends mailboxes; answers the keys that needed it. */
  heal(): Promise<string[]> {
    return (this.queue.getBackend() as unknown as TurnBackend).mailboxes.heal();
  }
}

export const operatorCases: Case[] = [
  {
    promise: 'a queue tells how many stand before its jobs in the mailboxes of their keys',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      const line = await at.line(1, 2);
      const later = at.message(3, { dueAt: Date.now() + 60_000 });
      await at.engine.send([later]);
      const jobs = [...line, later, { id: 'nobody' }].map(({ id }) => ({ id, key: 'k' }));
      const queue = at.queue as unknown as ActorQueue;
      const before = await queue.standingBefore(jobs);
      expect(before).toEqual(new Map(line.map(({ id }, index) => [id, index])));
      at.open();
      await at.after(3);
      expect(await queue.standingBefore(jobs)).toEqual(new Map());
    },
  },
  {
    promise: 'removing parked messages leaves the others of their key in order',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      const sent = await at.line(1, 2, 3, 4);
      await at.queue.remove(sent[2]!.id);
      await (await at.queue.getJob(sent[4]!.id))?.remove();
      expect(await at.heal()).toEqual([]);
      at.open();
      expect(await at.after(3)).toEqual(['hold', 1, 3]);
    },
  },
  {
    promise:
      'removing the first message of a key makes the next runnable; one in work is not removed',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      const sent = [0, 1, 'hold', 2].map((n) => at.message(n));
      await at.engine.send(sent);
      await at.queue.remove(sent[0]!.id);
      expect(await at.state(sent[1]!)).toBe('waiting');
      expect(await at.heal()).toEqual([]);
      await at.consume();
      await reaches(context, at.engine, sent[2]!.id, 'active');
      expect(await at.queue.remove(sent[2]!.id)).toBe(0);
      at.open();
      expect(await at.after(3)).toEqual([1, 'hold', 2]);
    },
  },
  {
    promise: 'draining drops all that wait, parked ones too, and their key goes on',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      await at.line(1, 2, 3);
      await at.queue.drain();
      expect(await at.heal()).toEqual([]);
      const counts = await at.engine.counts(context.actor);
      expect(counts).toMatchObject({ waiting: 0, active: 1 });
      const after = at.message('after');
      await at.engine.send([after]);
      expect(await at.state(after)).toBe('parked');
      at.open();
      expect(await at.after(2)).toEqual(['hold', 'after']);
    },
  },
  {
    promise: 'draining with what is delayed frees a key that waits for a retry',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      const late = at.message('later');
      await at.engine.send([late, at.message(1)]);
      await reaches(context, at.engine, late.id, 'delayed');
      await at.queue.drain(true);
      expect(await at.heal()).toEqual([]);
      await at.engine.send([at.message('after')]);
      expect(await at.after(1)).toEqual(['later', 'after']);
      expect(await at.state(late)).toBeUndefined();
    },
  },
  {
    promise: 'cleaning delayed or waiting messages lets their keys go on',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      const waiting = at.message(0, { key: 'other' });
      await at.engine.send([waiting, at.message(1, { key: 'other' })]);
      // BullMQ names those with a priority so on Redis; on PostgreSQL they are all waiting.
      const cleaned = await Promise.all([
        at.queue.clean(0, 1, 'prioritized'),
        at.queue.clean(0, 1, 'wait'),
      ]);
      expect(cleaned.flat()).toContain(waiting.id);
      expect(await at.heal()).toEqual([]);
      await at.consume();
      const late = at.message('later');
      await at.engine.send([late, at.message(2)]);
      await reaches(context, at.engine, late.id, 'delayed');
      expect(await at.queue.clean(0, 100, 'delayed')).toEqual([late.id]);
      expect(await at.heal()).toEqual([]);
      await eventually(async () => (await at.engine.keys(context.actor, PAGE)).length === 0);
      expect(await at.state(late)).toBeUndefined();
    },
  },
  {
    promise: 'obliterating leaves no message and no mailbox, but the states of keys',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      const { consumer } = await context.consume(at.engine, ({ state }) => ({
        kind: 'done',
        effects: { sends: [], state: { data: 1, revision: state?.revision ?? 0, version: 1 } },
      }));
      const first = at.message('first');
      await at.engine.send([first]);
      await reaches(context, at.engine, first.id, 'done');
      await consumer.stop(0);
      await at.engine.send([0, 1, 2].map((n) => at.message(n)));
      await at.queue.obliterate();
      expect(await at.engine.keys(context.actor, PAGE)).toEqual([]);
      await at.engine.send([at.message('after')]);
      await at.queue.resume();
      await at.consume();
      expect(await at.after(1)).toEqual(['after']);
      expect(await at.engine.state(context.actor, 'k')).toMatchObject({ revision: 1 });
    },
  },
  {
    promise: 'obliterating forgets which keys stopped; a refused one forgets nothing',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      const { consumer } = await context.consume(at.engine, quarantine);
      await at.engine.send([at.message('stops'), at.message(1)]);
      const stopped = (): Promise<unknown[]> => at.engine.quarantined(context.actor);
      await eventually(async () => (await stopped()).length === 1);
      await consumer.stop(0);
      const backend = at.queue.getBackend();
      await expect(backend.obliterate({ count: 10, force: false })).rejects.toThrow('non-paused');
      expect(await stopped()).toHaveLength(1);
      await at.queue.obliterate();
      expect(await stopped()).toEqual([]);
      await at.engine.send([at.message('after')]);
      await at.queue.resume();
      await at.consume();
      expect(await at.after(1)).toEqual(['after']);
    },
  },
  {
    promise:
      'promoting a timer puts it behind what waits for its key, one that waits for a retry keeps its place',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      const late = at.message('later', { key: 'l' });
      await at.engine.send([late, at.message('next', { key: 'l' })]);
      await reaches(context, at.engine, late.id, 'delayed');
      await at.line(1);
      const [one, two] = ['one', 'two'].map((n) => at.message(n, { dueAt: Date.now() + 60_000 }));
      await at.engine.send([one!, two!]);
      await (await at.queue.getJob(one!.id))?.promote();
      expect(await at.state(one!)).toBe('parked');
      await at.queue.promoteJobs();
      expect(await at.state(two!)).toBe('parked');
      await at.after(2);
      expect(await at.heal()).toEqual([]);
      at.open();
      const began = await at.after(6);
      const ofL = ['later', 'next'];
      expect(began.filter((n) => ofL.includes(n as string))).toEqual(['later', 'later', 'next']);
      expect(began.filter((n) => !ofL.includes(n as string))).toEqual(['hold', 1, 'one', 'two']);
    },
  },
  {
    promise: 'running handled messages again puts them behind what waits for their key',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      const first = at.message('again');
      await at.engine.send([first]);
      await at.after(1);
      await at.line(1);
      await (await at.queue.getJob(first.id))?.retry('completed');
      expect(await at.state(first)).toBe('parked');
      expect(await at.heal()).toEqual([]);
      at.open();
      expect(await at.after(3)).toEqual(['again', 'hold', 1, 'again']);
      await at.queue.retryJobs({ state: 'completed' });
      await at.after(3);
      expect(await at.heal()).toEqual([]);
    },
  },
  {
    promise:
      'removing orphaned jobs leaves mailboxes, quarantine, states and journals of keys, whatever their names',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      const { consumer } = await context.consume(
        at.engine,
        (delivery) =>
          delivery.envelope.key === 'stopped'
            ? quarantine(delivery)
            : doneWith({
                state: { data: 1, revision: 0, version: 1 },
                journal: { rows: [{}], keep: 5 },
              }),
        { mailbox: 2 },
      );
      const keys = ['logs', 'lock', 'state', 'k0'];
      await at.engine.send(['stopped', ...keys].map((key) => at.message(0, { key })));
      await eventually(async () => (await at.engine.counts(context.actor)).done === keys.length);
      await eventually(async () => (await at.engine.quarantined(context.actor)).length === 1);
      await consumer.stop(0);
      await at.engine.send([0, 1].map((n) => at.message(n)));
      const listed = await at.engine.keys(context.actor, PAGE);
      await at.queue.removeOrphanedJobs();
      expect(await at.engine.keys(context.actor, PAGE)).toEqual(listed);
      await expect(at.engine.send([at.message(2)])).rejects.toThrow(MailboxFullError);
      for (const key of keys) {
        expect(await at.engine.state(context.actor, key)).toMatchObject({ revision: 1 });
        expect(await at.engine.journal(context.actor, key, { limit: 5 })).toHaveLength(1);
      }
      expect(await at.engine.states(context.actor, { limit: 5 })).toHaveLength(keys.length);
      expect(await at.heal()).toEqual([]);
      expect(await at.engine.release(context.actor, 'stopped')).toBe(true);
    },
  },
  {
    promise: 'copies of a message that somebody adds wait their turn behind what waits for its key',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      await at.consume();
      const [hold, one] = await at.line(1);
      const { opts, name } = (await at.queue.getJob(one!.id)) as Job;
      const copy = (n: unknown, more: JobsOptions = {}) => ({
        name,
        data: { n },
        opts: { ...opts, jobId: undefined, ...more },
      });
      const plain = copy('plain', { priority: 0 });
      const prioritized = copy('prioritized');
      const late = copy('late', { delay: 100 });
      const added = [];
      for (const job of [plain, prioritized]) {
        added.push(await at.queue.add(job.name, job.data, job.opts));
      }
      added.push(...(await at.queue.addBulk([copy('bulk'), late])));
      await eventually(async () => (await at.engine.counts(context.actor)).delayed === 0);
      for (const job of added) expect(await job.getState()).toBe('waiting-children');
      expect(await at.state(hold!)).toBe('active');
      expect(await at.heal()).toEqual([]);
      at.open();
      const began = await at.after(6);
      expect(began).toEqual(['hold', 1, 'plain', 'prioritized', 'bulk', 'late']);
    },
  },
  {
    promise: 'a key with many messages holds up another for one turn at most',
    needs: 'bullmq',
    async run(context) {
      const at = await Operation.begin(context);
      const of = (key: string, length: number): Envelope[] =>
        Array.from({ length }, (_, n) => at.message(n, { key }));
      await at.engine.send(of('many', 200));
      await at.engine.send(of('few', 5));
      const { deliveries } = await context.consume(at.engine);
      await eventually(() => deliveries.length >= 10);
      const keys = deliveries.slice(0, 10).map(({ envelope }) => envelope.key);
      expect(keys).toEqual(Array.from({ length: 5 }, () => ['many', 'few']).flat());
    },
  },
];

const PAGE = { by: 'age', limit: 10 } as const;
