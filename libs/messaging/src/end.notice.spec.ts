import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import type { EndNotice } from './end.notice.js';
import { Message, type MessageInstance } from './message.js';
import { CancelledError, RejectError } from './messaging.errors.js';
import { sealMessage } from './sealed.message.js';
import type { ForwardOptions } from './sealing.js';
import { TestCallsheet } from './testing/index.js';
import type { Turn } from './turn.js';

const job = z.object({ what: z.string().default(''), card: z.string().default('none') });
class Run extends Message('job.run', job, { secret: ['card'] }) {}
class Answer extends Message('job.answer', job, { reply: z.unknown() }) {}
const notice = z.custom<EndNotice & { key: string }>((given) => typeof given === 'object');
class Ended extends Message('watch.ended', notice, { key: 'key' }) {}
class Told extends Message('watch.told', z.looseObject({})) {}

let answer: unknown;

@Actor({ retry: { attempts: 2, delay: 1_000, jitter: 0 } })
class JobActor {
  isWhole = false;

  @Handle(Run) run({ what, card }: Run, turn: Turn): string {
    if (what === 'cancelled') throw new CancelledError(turn.id);
    if (this.isWhole || what === '') return 'dropped: it declares no reply';
    if (what === 'flaky' && turn.attempt === 2) return '';
    throw what === 'rejected' ? new RejectError(`card ${card}`) : new Error('again');
  }
  @Handle(Answer) answer(): unknown {
    return answer;
  }
}
@Actor()
class WatchActor {
  readonly heard: EndNotice[] = [];

  @Handle(Ended) ended(end: Ended): void {
    this.heard.push(end);
  }
  @Handle(Told) told(): void {}
}

let t: TestCallsheet;
beforeAll(() => Logger.overrideLogger(false));
afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));
afterEach(() => t.close());

async function forward(message: MessageInstance, options: ForwardOptions = {}): Promise<string> {
  t = await TestCallsheet.create({ providers: [JobActor, WatchActor] });
  const notify = { type: 'watch.ended', key: 'w-1' } as const;
  const { id } = await t.actors.forward(sealMessage(message), { notify, ...options });
  await t.drain();
  return id;
}

const notices = (): EndNotice[] => t.sent(Ended).map((each) => Object.assign({}, each));

describe('the end of a message', () => {
  it('is told to whom its sender named, once', async () => {
    const id = await forward(new Run({}), { occurrence: new Date(60_000), tenant: 'acme' });
    const now = t.now.getTime();
    const told = {
      key: 'w-1',
      id,
      outcome: 'done',
      occurrence: 60_000,
      startedAt: now,
      finishedAt: now,
      attempts: 1,
    };
    expect(notices()).toEqual([told]);
  });

  it('may be told without a key', async () => {
    const id = await forward(new Run({}), { notify: { type: 'watch.told' } });
    expect(t.sent(Told)).toMatchObject([{ id, outcome: 'done' }]);
    expect(t.sent(Told)[0]).not.toHaveProperty('key');
  });

  it('is not told before the time that its sender named', async () => {
    t = await TestCallsheet.create({ providers: [JobActor, WatchActor] });
    const now = t.now.getTime();
    for (const notBefore of [now + 60_000, now - 60_000]) {
      const notify = { type: 'watch.ended', key: 'w-1', notBefore } as const;
      await t.actors.forward(sealMessage(new Run({})), { notify });
    }
    const { heard } = t.get(WatchActor);
    await t.advance('59s');
    expect(heard).toHaveLength(1);
    await t.advance('1s');
    expect(heard).toMatchObject([{ finishedAt: now }, { finishedAt: now }]);
  });

  it('is told to nobody if nobody is named', async () => {
    t = await TestCallsheet.create({ providers: [JobActor, WatchActor] });
    await t.actors.forward(sealMessage(new Run({})));
    await t.drain();
    expect(notices()).toEqual([]);
  });

  it('comes after the last attempt', async () => {
    await forward(new Run({ what: 'flaky' }));
    expect(notices()).toEqual([]);
    await t.advance('1s');
    expect(notices()).toMatchObject([{ outcome: 'done', attempts: 2 }]);
  });

  it('by death has its reason and its error, with secrets masked, and is told again when redriven', async () => {
    const id = await forward(new Run({ what: 'rejected', card: '4111111111111111' }));
    const error = { name: 'RejectError', message: 'card [secret]', code: 'rejected' };
    const dead = { key: 'w-1', id, outcome: 'dead', reason: 'rejected', attempts: 1 };
    expect(notices()).toMatchObject([
      { ...dead, error: { name: error.name, message: error.message } },
    ]);
    t.get(JobActor).isWhole = true;
    await t.redrive();
    await t.drain();
    expect(notices()).toMatchObject([dead, { id, outcome: 'done' }]);
    expect(notices()[1]).not.toHaveProperty('reason');
  });

  it('by cancelling is told when it was in work', async () => {
    const id = await forward(new Run({ what: 'cancelled' }));
    expect(notices()).toMatchObject([{ id, outcome: 'cancelled', attempts: 1 }]);
  });

  it('by cancelling is not told when it had not started', async () => {
    const id = await forward(new Run({}), { delay: '1h' });
    expect(await t.cancel(id)).toBe('cancelled');
    await t.advance('2h');
    expect(notices()).toEqual([]);
  });

  it('is told whatever the reason', async () => {
    t = await TestCallsheet.create({ providers: [JobActor, WatchActor] });
    const notify = { type: 'watch.ended', key: 'w-1' } as const;
    await t.actors.forward({ ...sealMessage(new Run({})), type: 'job.unknown' }, { notify });
    await t.actors.forward({ ...sealMessage(new Run({})), data: { what: 5 } }, { notify });
    await t.drain();
    expect(notices().map(({ reason }) => reason)).toEqual(['unhandled', 'invalid']);
  });

  it.each<[unknown, object]>([
    [{ rows: [1, null] }, { result: { rows: [1, null] } }],
    ['x'.repeat(4_094), { result: 'x'.repeat(4_094) }],
    [null, { result: null }],
    ['x'.repeat(4_095), {}],
    [new Date(), {}],
    [undefined, {}],
  ])('has the answer if it is small and plain: %#', async (given, result) => {
    answer = given;
    await forward(new Answer({}));
    const [{ id: _, startedAt: __, finishedAt: ___, ...told } = {} as EndNotice] = notices();
    expect(told).toEqual({ key: 'w-1', outcome: 'done', attempts: 1, ...result });
  });
});
