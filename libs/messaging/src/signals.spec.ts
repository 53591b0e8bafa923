import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Actor, Handle, Read } from './actor.decorators.js';
import { Message } from './message.js';
import { OptionError, RejectError, TurnUsageError } from './messaging.errors.js';
import { Signals } from './signals.js';
import { TestCallsheet } from './testing/index.js';
import type { Turn } from './turn.js';
import { currentTurn } from './turn.scope.js';

class Ring extends Message('bell.ring', z.object({ text: z.string() })) {}
class ReadDial extends Message('dial.read', z.object({ dial: z.string() }), { key: 'dial' }) {}
class Peal extends Message('bell.peal', z.object({ n: z.number() })) {}

@Actor({ retry: { attempts: 1 } })
class BellActor {
  constructor(private readonly signals: Signals) {}

  @Handle(Ring)
  async ring({ text }: Ring, _turn: Turn): Promise<void> {
    await this.signals.send('bell', text);
    if (text === 'broken') throw new RejectError('the rope');
  }

  @Handle(Peal, { batch: { max: 2, wait: '1s' } })
  async peal(messages: readonly Peal[], turns: readonly Turn[]): Promise<void> {
    for (const [n, turn] of turns.entries()) {
      await turn.join(() => this.signals.send('bell', `peal ${messages[n]?.n}`));
    }
  }
}

const DialState = z.object({});

@Actor({ state: DialState, retry: { attempts: 1 } })
class DialActor {
  constructor(private readonly signals: Signals) {}

  @Read(ReadDial)
  async read(_: ReadDial, _turn: Turn<typeof DialState>): Promise<void> {
    await this.signals.send('bell');
  }
}

let t: TestCallsheet;
let signals: Signals;
beforeEach(async () => {
  t = await TestCallsheet.create({ providers: [BellActor, DialActor] });
  signals = t.get(Signals);
});
afterEach(async () => {
  await t.close();
  vi.restoreAllMocks();
});

/** What is heard under a name. */
async function heard(name = 'bell'): Promise<string[]> {
  const texts: string[] = [];
  await signals.listen(name, (text) => texts.push(text));
  return texts;
}

describe('a signal', () => {
  it('is heard by all who listen, until they end it', async () => {
    const [one, two] = [await heard(), await heard()];
    const end = await signals.listen('bell', (text) => one.push(`${text}!`));
    await signals.send('bell', 'ding');
    await end();
    await signals.send('bell');
    await signals.send('gong', 'dong');
    expect([one, two]).toEqual([
      ['ding', 'ding!', ''],
      ['ding', ''],
    ]);
  });

  it('of a turn is heard after the commit, outside of the turn', async () => {
    const seen: unknown[] = [];
    await signals.listen('bell', (text) => seen.push([text, currentTurn()]));
    await t.actors.tell(new Ring({ text: 'ding' }));
    expect(seen).toEqual([]);
    await t.drain();
    expect(seen).toEqual([['ding', undefined]]);
  });

  it('of a turn that fails is not heard', async () => {
    const texts = await heard();
    await t.actors.tell(new Ring({ text: 'broken' }));
    await t.actors.tell(new Ring({ text: 'whole' }));
    await t.drain();
    expect(texts).toEqual(['whole']);
  });

  it('of a batch belongs to the turn that it is joined to', async () => {
    const texts = await heard();
    for (const n of [1, 2]) await t.actors.tell(new Peal({ n }));
    await t.drain();
    expect(texts.sort()).toEqual(['peal 1', 'peal 2']);
  });

  it('is not for handlers that read', async () => {
    const texts = await heard();
    await t.actors.tell(new ReadDial({ dial: 'a' }));
    await t.advance('1h');
    expect(t.dead[0]?.history[0]?.error).toMatchObject({ name: TurnUsageError.name });
    expect(texts).toEqual([]);
  });

  it('reaches the others when one who listens fails', async () => {
    const error = vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    await signals.listen('bell', () => {
      throw new Error('deaf');
    });
    const texts = await heard();
    await signals.send('bell', 'ding');
    expect(texts).toEqual(['ding']);
    expect(error.mock.calls).toEqual([["who listens to the signal 'bell' failed: Error: deaf"]]);
  });

  it.each([
    ['an empty name', '', 'x', 'name'],
    ['a long name', 'x'.repeat(201), 'x', 'name'],
    ['NUL in the name', 'a\0', 'x', 'name'],
    ['half a character in the name', '\ud800', 'x', 'name'],
    ['no name', undefined as unknown as string, 'x', 'name'],
    ['a long text', 'a', 'é'.repeat(2_001), 'text'],
    ['NUL in the text', 'a', '\0', 'text'],
    ['another thing than text', 'a', 1 as unknown as string, 'text'],
  ])('is refused with %s', async (_, name, text, path) => {
    const refusal: unknown = await signals.send(name, text).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OptionError);
    expect((refusal as OptionError).path).toBe(path);
  });

  it('cannot be listened to by what is no function, or under no name', async () => {
    await expect(signals.listen('', () => undefined)).rejects.toThrow(OptionError);
    await expect(signals.listen('a', 'b' as never)).rejects.toThrow('hear must be a function');
  });
});
