import { AttendRoom, PostChat, RoomState, roomSignal } from '@callsheet/contracts';
import { Keys, Signals } from '@callsheet/messaging';
import { explore, TestCallsheet } from '@callsheet/messaging/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChatActor } from './chat.actor.js';

const providers = [ChatActor];

let t: TestCallsheet;
beforeEach(async () => {
  t = await TestCallsheet.create({ providers });
});
afterEach(() => t.close());

const say = (text: string, author = 'ada', room = 'lobby') =>
  t.actors.ask(new PostChat({ room, author, text }));
const attend = (place: string, users: string[]) =>
  t.actors.tell(new AttendRoom({ room: 'lobby', place, users }));

/** The history of a room, oldest first. */
async function historyOf(room = 'lobby', from = t): Promise<unknown[]> {
  const rows = await from.get(Keys).journal(ChatActor, room, { limit: 1_000 });
  return rows.map(({ row }) => row).reverse();
}

/** Who is there, by place. */
function places(): Record<string, string[]> {
  const state = t.state<RoomState>(ChatActor, 'lobby')?.places ?? {};
  return Object.fromEntries(Object.entries(state).map(([name, { users }]) => [name, users]));
}

async function signalled(room = 'lobby'): Promise<string[]> {
  const heard: string[] = [];
  await t.get(Signals).listen(roomSignal(room), (text) => heard.push(text));
  return heard;
}

describe('a room', () => {
  it('numbers what is said in it, and keeps it', async () => {
    const at = t.now.toISOString();
    expect(await say('Hello')).toEqual({ seq: 1, at });
    expect(await say('Hi, Ada', 'grace')).toEqual({ seq: 2, at });
    expect(await say('Anybody?', 'alan', 'kitchen')).toEqual({ seq: 1, at });
    expect(await historyOf()).toEqual([
      { seq: 1, author: 'ada', text: 'Hello', at },
      { seq: 2, author: 'grace', text: 'Hi, Ada', at },
    ]);
  });

  it('takes what is said again with its id once', async () => {
    const message = new PostChat({ room: 'lobby', author: 'ada', text: 'Hello' });
    const first = await t.actors.ask(message, { id: 'said' });
    expect(await t.actors.ask(message, { id: 'said' })).toEqual(first);
    expect(await historyOf()).toHaveLength(1);
  });

  it('keeps the last 500', async () => {
    for (let n = 0; n < 510; n++) {
      await t.actors.tell(new PostChat({ room: 'lobby', author: 'ada', text: `${n}` }));
    }
    await t.drain();
    const kept = (await historyOf()) as { seq: number }[];
    expect([kept.length, kept[0]?.seq, kept.at(-1)?.seq]).toEqual([500, 11, 510]);
  });

  it('keeps the largest there may be', async () => {
    const author = '"'.repeat(64);
    await say('é'.repeat(1_740) + '""""', author);
    expect(await historyOf()).toMatchObject([{ author }]);
  });

  it('has no gaps, whatever crashes', async () => {
    await explore({ providers, seeds: 8, crash: 'everywhere' }, async (world) => {
      for (const author of ['ada', 'grace']) {
        for (let n = 0; n < 3; n++) {
          await world.actors.tell(new PostChat({ room: 'lobby', author, text: `${n}` }));
        }
      }
      await world.advance('1d');
      const said = (await historyOf('lobby', world)) as { seq: number }[];
      expect(said.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(world.dead).toEqual([]);
    });
  });
});

describe('who is in a room', () => {
  it('is what each place said last', async () => {
    await attend('one', ['ada', 'grace', 'ada']);
    await attend('two', ['ada']);
    await t.drain();
    expect(places()).toEqual({ one: ['ada', 'grace'], two: ['ada'] });
    await attend('one', ['alan']);
    await attend('two', []);
    await t.drain();
    expect(places()).toEqual({ one: ['alan'] });
  });

  it('counts for 90 seconds from when it was said', async () => {
    await attend('one', ['ada']);
    await t.advance('60s');
    await attend('two', ['grace']);
    await t.advance('29s');
    await attend('two', ['grace', 'alan']);
    await t.drain();
    expect(Object.keys(places())).toEqual(['one', 'two']);
    await t.advance('1s');
    await attend('two', ['grace']);
    await t.drain();
    expect(places()).toEqual({ two: ['grace'] });
  });

  it('is at most 500 users', async () => {
    const users = (from: string): string[] => Array.from({ length: 300 }, (_, n) => from + n);
    await attend('one', users('a'));
    await attend('two', users('b'));
    await attend('three', ['ada']);
    await t.drain();
    const counts = Object.entries(places()).map(([place, there]) => [place, there.length]);
    expect(counts).toEqual([
      ['one', 300],
      ['two', 200],
    ]);
    expect(t.dead).toEqual([]);
  });

  it('is at most 100 places', async () => {
    for (let n = 0; n < 101; n++) await attend(`p${n}`, ['ada', 'grace', 'alan', 'mary', 'joan']);
    await t.drain();
    expect(Object.keys(places())).toHaveLength(100);
    expect(t.dead).toEqual([]);
  });
});

describe('the signal of a room', () => {
  it('tells of messages and of who is there, not of what is the same', async () => {
    const heard = await signalled();
    await say('Hello');
    expect(heard).toHaveLength(1);
    await attend('one', ['ada']);
    await t.drain();
    expect(heard).toHaveLength(2);
    await attend('one', ['ada']);
    await t.drain();
    expect(heard).toHaveLength(2);
    await attend('one', []);
    await t.drain();
    expect(heard).toHaveLength(3);
  });
});
