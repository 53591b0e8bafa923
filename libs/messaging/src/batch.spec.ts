import { beforeEach, describe, expect, it } from 'vitest';
import { Batch, type BatchFunction } from './batch.js';
import { OptionError, TurnUsageError } from './messaging.errors.js';
import { testTurn } from './testing/test.turn.js';
import { loopTurn, VirtualClock } from './testing/virtual.clock.js';
import { currentScope, currentTurn, isInTurn } from './turn.scope.js';

let clock: VirtualClock;
let calls: unknown[][];

beforeEach(() => {
  clock = new VirtualClock();
  calls = [];
});

function batchOf(run: BatchFunction = () => undefined): Batch {
  return new Batch(
    { max: 3, wait: 100 },
    (messages, turns) => {
      calls.push([...messages]);
      return run(messages, turns);
    },
    clock,
  );
}

/** How each of these promises ends: undefined when it resolves, else its error. */
async function endsOf(promises: Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : undefined));
}

/** Three messages, which fill a batch. */
function fill(batch: Batch): Promise<void>[] {
  return ['a', 'b', 'c'].map((message) => batch.add(message, testTurn({ id: message })));
}

describe('a batch', () => {
  it('runs when it is full, at once, in the order given, with the turn of each', async () => {
    let ids: string[] = [];
    const batch = batchOf((_, turns) => void (ids = turns.map(({ id }) => id)));
    await Promise.all(fill(batch));
    expect(calls).toEqual([['a', 'b', 'c']]);
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(clock.pending).toBe(0);
  });

  it('runs with fewer when the first has waited long enough', async () => {
    const batch = batchOf();
    const first = batch.add('a', testTurn());
    await clock.advance(60);
    const second = batch.add('b', testTurn());
    await clock.advance(39);
    expect(calls).toEqual([]);
    await clock.advance(1);
    await Promise.all([first, second]);
    expect(calls).toEqual([['a', 'b']]);
  });

  it('starts anew for what comes later', async () => {
    const batch = batchOf();
    await Promise.all(fill(batch));
    const later = batch.add('d', testTurn());
    expect(clock.next).toBe(clock.now() + 100);
    await clock.advance(100);
    await later;
    expect(calls).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('fails each message by its own error', async () => {
    const error = new Error('b');
    expect(await endsOf(fill(batchOf(async () => [undefined, error, undefined])))).toEqual([
      undefined,
      error,
      undefined,
    ]);
  });

  it.each<[string, BatchFunction]>([
    [
      'throws',
      () => {
        throw new Error('all');
      },
    ],
    ['rejects', () => Promise.reject(new Error('all'))],
  ])('fails all when its handler %s', async (_, run) => {
    const all = new Error('all');
    expect(await endsOf(fill(batchOf(run)))).toEqual([all, all, all]);
  });

  it.each([[[]], [[undefined]], ['ok'], [null], [3]])(
    'fails all when its handler answers %o, which says nothing of each',
    async (answer) => {
      const error = new OptionError(
        'a batch handler',
        'must return nothing, or a list with an error or undefined for each of its 3 messages',
      );
      expect(await endsOf(fill(batchOf(() => answer)))).toEqual([error, error, error]);
    },
  );

  it('runs in no single turn', async () => {
    let seen: unknown[] = [];
    const batch = batchOf(() => {
      seen = [isInTurn(), currentTurn()];
      return currentScope();
    });
    const ends = await endsOf(fill(batch));
    expect(seen).toEqual([true, undefined]);
    expect(ends[0]).toBeInstanceOf(TurnUsageError);
  });
});

describe('a message of a batch whose turn is told to stop', () => {
  it('leaves at once, and the others go on without it', async () => {
    const batch = batchOf();
    const stop = new AbortController();
    const reason = new Error('stop');
    const [left] = [batch.add('a', testTurn({ signal: stop.signal }))];
    const others = [batch.add('b', testTurn()), batch.add('c', testTurn())];
    expect(calls).toEqual([['a', 'b', 'c']]);
    await Promise.all([left, ...others]);

    const waits = batch.add('d', testTurn({ signal: stop.signal }));
    const stays = batch.add('e', testTurn());
    stop.abort(reason);
    await expect(waits).rejects.toBe(reason);
    expect(calls).toHaveLength(1);
    await clock.advance(100);
    await stays;
    expect(calls[1]).toEqual(['e']);
  });

  it('takes no place of another', async () => {
    const batch = batchOf();
    const stop = new AbortController();
    const waits = batch.add('a', testTurn({ signal: stop.signal }));
    waits.catch(() => undefined);
    stop.abort();
    const rest = fill(batch);
    await Promise.all(rest);
    expect(calls).toEqual([['a', 'b', 'c']]);
  });

  it('leaves no timer behind when it was alone', async () => {
    const stop = new AbortController();
    const waits = batchOf().add('a', testTurn({ signal: stop.signal }));
    stop.abort(new Error('stop'));
    await expect(waits).rejects.toThrow('stop');
    expect(clock.pending).toBe(0);
    await clock.advance('1m');
    expect(calls).toEqual([]);
  });

  it('does not join when it was told before', async () => {
    const waits = batchOf().add('a', testTurn({ signal: AbortSignal.abort(new Error('stop')) }));
    await expect(waits).rejects.toThrow('stop');
    expect(clock.pending).toBe(0);
  });

  it('is judged by the handler once that runs', async () => {
    const stop = new AbortController();
    let finish = (): void => undefined;
    const batch = batchOf(() => new Promise<void>((resolve) => (finish = resolve)));
    const [first] = [batch.add('x', testTurn({ signal: stop.signal })), ...fill(batch).slice(0, 2)];
    await loopTurn();
    stop.abort(new Error('stop'));
    finish();
    await expect(first).resolves.toBeUndefined();
  });
});
