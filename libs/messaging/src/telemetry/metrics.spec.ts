import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.js';
import type { ActorCounts, Delivery, Outcome } from '../engine.js';
import type { Envelope } from '../envelope.js';
import { MOST_SERIES } from './metric.labels.js';
import { MetricsObserver } from './metrics.js';
import type { QueueReader } from './queue.gauges.js';
import { testDelivery } from '../../../../test/support/test.delivery.js';

/** A clock that the test moves. */
class HandClock implements Clock {
  private time = 100_000;
  private readonly alarms = new Set<{ at: number; ring: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, ring: () => void): () => void {
    const alarm = { at: this.time + ms, ring };
    this.alarms.add(alarm);
    return () => this.alarms.delete(alarm);
  }

  move(ms: number): void {
    this.time += ms;
    for (const alarm of this.alarms) {
      if (alarm.at > this.time) continue;
      this.alarms.delete(alarm);
      alarm.ring();
    }
  }
}

const KNOWN = { hasType: (type: string) => /^shop\./.test(type), hasActor: () => true };
const QUIET: QueueReader = { actors: () => [], counts: () => Promise.reject(new Error('unused')) };
const DONE: Outcome = { kind: 'done' };
const ATTEMPT = {
  attempt: 1,
  startedAt: 0,
  finishedAt: 0,
  error: { name: 'Error', message: 'no' },
};

function observe(more: { names?: typeof KNOWN; queues?: QueueReader } = {}) {
  const clock = new HandClock();
  const metrics = new MetricsObserver(more.names ?? KNOWN, more.queues ?? QUIET, clock);
  return { clock, metrics };
}

function envelopeOf(type: string, more: Partial<Envelope> = {}): Envelope {
  const [actor = ''] = type.split('.');
  return {
    id: `${actor}-1`,
    type: type as Envelope['type'],
    version: 1,
    actor,
    data: {},
    priority: 100,
    sentAt: 90_000,
    headers: {},
    ...more,
  };
}

function delivery(envelope: Envelope, more: Partial<Delivery> = {}): Delivery {
  return testDelivery({ envelope, startedAt: 94_000, ...more });
}

/** The samples of one metric: labels as text to value. Buckets are left out. */
async function samples(metrics: MetricsObserver, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split('\n');
  return Object.fromEntries(
    lines
      .filter((line) => line.startsWith(name) && !line.includes('_bucket'))
      .map((line) => line.slice(name.length).split(/ (?=\S+$)/))
      .map(([labels = '', value]) => [labels.replaceAll('"', ''), Number(value)]),
  );
}

describe('counters', () => {
  it('count what is sent, when it is stored', async () => {
    const { metrics } = observe();
    const order = envelopeOf('shop.order');
    await metrics.send([order, order], async () => undefined);
    const failing = metrics.send([order], () => Promise.reject(new Error('no store')));
    await expect(failing).rejects.toThrow('no store');
    expect(await samples(metrics, 'callsheet_messages_sent_total')).toEqual({
      '{actor=shop,type=shop.order}': 2,
    });
  });

  it('count what a turn sends when it has ended well, or as a dead letter', async () => {
    const { metrics } = observe();
    const order = delivery(envelopeOf('shop.order'));
    const sends = [envelopeOf('shop.pack')];
    await metrics.send(sends, async () => undefined, order);
    expect(await samples(metrics, 'callsheet_messages_sent_total')).toEqual({});
    await metrics.turn(order, async () => ({ kind: 'done', effects: { sends } }));
    await metrics.turn(order, async () => ({
      kind: 'dead',
      reason: 'rejected',
      attempt: ATTEMPT,
      sends: [envelopeOf('shop.mourn')],
    }));
    expect(await samples(metrics, 'callsheet_messages_sent_total')).toEqual({
      '{actor=shop,type=shop.pack}': 1,
      '{actor=shop,type=shop.mourn}': 1,
    });
  });

  it('count turns by outcome, failed attempts, and dead letters by reason', async () => {
    const { metrics } = observe();
    const outcomes: Outcome[] = [
      DONE,
      DONE,
      { kind: 'retry', delay: 1, attempt: ATTEMPT },
      { kind: 'dead', reason: 'exhausted', attempt: ATTEMPT },
      { kind: 'release' },
    ];
    for (const outcome of outcomes) {
      expect(await metrics.turn(delivery(envelopeOf('shop.order')), async () => outcome)).toBe(
        outcome,
      );
    }
    const labels = 'actor=shop,type=shop.order';
    expect(await samples(metrics, 'callsheet_turns_total')).toEqual({
      [`{${labels},outcome=done}`]: 2,
      [`{${labels},outcome=retry}`]: 1,
      [`{${labels},outcome=dead}`]: 1,
      [`{${labels},outcome=release}`]: 1,
    });
    expect(await samples(metrics, 'callsheet_failed_attempts_total')).toEqual({
      [`{${labels}}`]: 2,
    });
    expect(await samples(metrics, 'callsheet_dead_letters_total')).toEqual({
      [`{${labels},reason=exhausted}`]: 1,
    });
  });

  it('tell turns whose effects the store refused, and what became of them', async () => {
    const { metrics } = observe();
    const instead: Outcome = { kind: 'retry', delay: 1, attempt: ATTEMPT };
    const outcome = await metrics.turn(delivery(envelopeOf('shop.order')), async () => ({
      kind: 'done',
      refused: () => instead,
    }));
    expect(outcome.kind === 'done' && (await outcome.refused?.(new Error('full')))).toBe(instead);
    const labels = 'actor=shop,type=shop.order';
    expect(await samples(metrics, 'callsheet_turns_total')).toEqual({
      [`{${labels},outcome=done}`]: 1,
      [`{${labels},outcome=refused}`]: 1,
    });
    expect(await samples(metrics, 'callsheet_failed_attempts_total')).toEqual({
      [`{${labels}}`]: 1,
    });
  });
});

describe('times', () => {
  const of = async (metrics: MetricsObserver, name: string) =>
    (await samples(metrics, `callsheet_${name}_seconds_sum`))['{actor=shop,type=shop.order}'];

  it('are those from ready to started, from started to ended, and from ready to handled', async () => {
    const { clock, metrics } = observe();
    await metrics.turn(delivery(envelopeOf('shop.order')), async () => {
      clock.move(500);
      return DONE;
    });
    expect(await of(metrics, 'wait')).toBe(4);
    expect(await of(metrics, 'run')).toBe(6.5);
    expect(await of(metrics, 'latency')).toBe(10.5);
  });

  it.each<[string, Partial<Envelope>, Partial<Delivery>]>([
    ['due', { dueAt: 93_000 }, {}],
    ['nominal time', {}, { occurrence: 93_000 }],
  ])('begin at the %s of a message that has one', async (_, sent, given) => {
    const { metrics } = observe();
    await metrics.turn(delivery(envelopeOf('shop.order', sent), given), async () => DONE);
    expect([await of(metrics, 'wait'), await of(metrics, 'latency')]).toEqual([1, 7]);
  });

  it('of an attempt that failed are its run alone; the wait is that for the first start', async () => {
    const { metrics } = observe();
    const failed: Outcome = { kind: 'retry', delay: 1, attempt: ATTEMPT };
    const order = envelopeOf('shop.order');
    await metrics.turn(delivery(order), async () => failed);
    expect(await of(metrics, 'latency')).toBeUndefined();
    await metrics.turn(delivery(order, { isFirst: false, startedAt: 99_000 }), async () => DONE);
    expect(await of(metrics, 'wait')).toBe(4);
    expect(await of(metrics, 'run')).toBe(7);
    expect(await of(metrics, 'latency')).toBe(10);
  });

  it('are never negative, whatever the clocks say', async () => {
    const { metrics } = observe();
    const ahead = envelopeOf('shop.order', { sentAt: 500_000 });
    await metrics.turn(delivery(ahead, { startedAt: 400_000 }), async () => DONE);
    expect([await of(metrics, 'wait'), await of(metrics, 'run')]).toEqual([0, 0]);
  });
});

describe('labels', () => {
  it('are other for types that nobody here knows', async () => {
    const { metrics } = observe();
    const dead: Outcome = { kind: 'dead', reason: 'unhandled', attempt: ATTEMPT };
    for (let i = 0; i < 50; i++) {
      await metrics.turn(delivery(envelopeOf(`shop${i}.made-up`)), async () => dead);
    }
    expect(await samples(metrics, 'callsheet_turns_total')).toSatisfy((all: object) =>
      Object.keys(all).every((labels) => labels.endsWith('type=other,outcome=dead}')),
    );
  });

  it('are other for actors that nobody here knows', async () => {
    const { metrics } = observe({ names: { hasType: () => false, hasActor: () => false } });
    await metrics.send([envelopeOf('made-up.thing')], async () => undefined);
    expect(await samples(metrics, 'callsheet_messages_sent_total')).toEqual({
      '{actor=other,type=other}': 1,
    });
  });

  it.each<[Outcome, string]>([
    [DONE, 'report.monday'],
    [{ kind: 'retry', delay: 1, attempt: ATTEMPT }, 'report.monday'],
    [{ kind: 'dead', reason: 'rejected', attempt: ATTEMPT }, 'report.monday'],
    [{ kind: 'dead', reason: 'expired', attempt: ATTEMPT }, 'other'],
    [{ kind: 'release' }, 'other'],
  ])('are the type of what is handled here without being registered: %o', async (outcome, type) => {
    const { metrics } = observe();
    await metrics.turn(delivery(envelopeOf('report.monday')), async () => outcome);
    expect(await samples(metrics, 'callsheet_turns_total')).toEqual({
      [`{actor=report,type=${type},outcome=${outcome.kind}}`]: 1,
    });
  });

  it('are at most 500 pairs of actor and type', async () => {
    const { metrics } = observe();
    for (let i = 0; i < MOST_SERIES + 100; i++) {
      await metrics.send([envelopeOf(`shop.order${i}`)], async () => undefined);
    }
    await metrics.send([envelopeOf('shop.order1')], async () => undefined);
    const all = await samples(metrics, 'callsheet_messages_sent_total');
    expect(Object.keys(all)).toHaveLength(MOST_SERIES + 1);
    expect(all['{actor=shop,type=other}']).toBe(100);
    expect(all['{actor=shop,type=shop.order1}']).toBe(2);
  });
});

describe('queues', () => {
  const counts: ActorCounts = { waiting: 3, delayed: 1, active: 2, done: 7, dead: 0 };

  /** A store that counts how often it is asked, and answers when the test says so. */
  function store(answer: (actor: string) => Promise<ActorCounts>, more: Partial<QueueReader> = {}) {
    const asked: string[] = [];
    const queues: QueueReader = {
      actors: () => ['mail', 'shop'],
      counts: (actor) => {
        asked.push(actor);
        return answer(actor);
      },
      ...more,
    };
    return { asked, ...observe({ queues }) };
  }

  it('are read at a scrape', async () => {
    const { metrics } = store(async () => counts);
    expect(await samples(metrics, 'callsheet_queue_messages{actor="shop"')).toEqual({
      ',state=waiting}': 3,
      ',state=delayed}': 1,
      ',state=active}': 2,
      ',state=done}': 7,
      ',state=dead}': 0,
    });
    expect(await metrics.text()).not.toContain('oldest_age');
  });

  it('show how long the oldest message has waited', async () => {
    const oldest = async (actor: string) => (actor === 'shop' ? 70_000 : undefined);
    const { metrics } = store(async () => counts, { oldest });
    expect(await samples(metrics, 'callsheet_queue_oldest_age_seconds')).toEqual({
      '{actor=mail}': 0,
      '{actor=shop}': 30,
    });
  });

  it('are asked once for a storm of scrapes, and again when five seconds have passed', async () => {
    const { asked, clock, metrics } = store(async () => counts);
    await Promise.all(Array.from({ length: 100 }, () => metrics.text()));
    clock.move(4_999);
    expect(await metrics.text()).toContain('callsheet_queue_messages{');
    expect(asked).toEqual(['mail', 'shop']);
    clock.move(1);
    await metrics.text();
    expect(asked).toHaveLength(4);
  });

  it('are left out when the store is silent, which is asked no more until it has answered', async () => {
    let answer: ((counts: ActorCounts) => void) | undefined;
    const { asked, clock, metrics } = store(
      () =>
        new Promise((resolve) => {
          const others = answer;
          answer = (all) => [others?.(all), resolve(all)];
        }),
    );
    await metrics.send([envelopeOf('shop.order')], async () => undefined);
    for (let i = 0; i < 3; i++) {
      const text = metrics.text();
      clock.move(2_000);
      expect(await text).not.toContain('callsheet_queue_messages{');
      expect(await text).toContain('callsheet_messages_sent_total{');
      clock.move(60_000);
    }
    expect(asked).toHaveLength(2);
    const text = metrics.text();
    answer?.(counts);
    expect(await text).toContain('callsheet_queue_messages{');
  });

  it('are left out rather than shown as they were long ago', async () => {
    let silent = false;
    const { clock, metrics } = store(async () =>
      silent ? new Promise<never>(() => undefined) : counts,
    );
    expect(await metrics.text()).toContain('callsheet_queue_messages{');
    silent = true;
    clock.move(60_000);
    const text = metrics.text();
    clock.move(2_000);
    expect(await text).not.toContain('callsheet_queue_messages{');
  });

  it('are left out when the store refuses; those of other actors are not', async () => {
    const { clock, metrics } = store(async (actor) => {
      if (actor === 'shop' || clock.now() > 110_000) throw new Error('refused');
      return counts;
    });
    const first = await metrics.text();
    expect(first).toContain('callsheet_queue_messages{actor="mail"');
    expect(first).not.toContain('callsheet_queue_messages{actor="shop"');
    clock.move(20_000);
    expect(await metrics.text()).not.toContain('callsheet_queue_messages{');
  });
});

it('has a registry for each application', async () => {
  const [one, two] = [observe().metrics, observe().metrics];
  await one.send([envelopeOf('shop.order')], async () => undefined);
  expect(await samples(two, 'callsheet_messages_sent_total')).toEqual({});
});

it.each([
  [undefined, 'text/plain; version=0.0.4; charset=utf-8', ''],
  ['text/plain', 'text/plain; version=0.0.4; charset=utf-8', ''],
  [
    'application/openmetrics-text;version=1.0.0,text/plain;q=0.5',
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
    '# EOF\n',
  ],
])('are for who accepts %s: %s', async (accept, expected, end) => {
  const { type, text } = await observe().metrics.accepted(accept);
  expect(type).toBe(expected);
  expect(text.includes('# EOF')).toBe(end !== '');
  expect(text.endsWith(end)).toBe(true);
});
