import { describe, expect, it } from 'vitest';
import { wrongOf, type Testimony } from './checks.js';
import type { Accepted } from './load.js';
import { pushName, Sightings } from './peers.js';

const DEVICES = [{ endpoint: 'phone' }, { endpoint: 'watch' }];

function accepted(id: string, line: string, end: Accepted['end'] = 'done'): Accepted {
  return { id, line, at: 0, took: 0, end };
}

function seen(...ids: string[]): Sightings {
  const found = new Sightings();
  ids.forEach((id, at) => found.see(id, at));
  return found;
}

function said(...texts: string[]) {
  return texts.map((text, n) => ({ seq: n + 1, author: '', text }));
}

/** All as it should be; some is seen twice, as it may be. */
function good() {
  const ours: Testimony['accepted'] = {
    mail: [accepted('mail-1', 'a'), accepted('mail-2', 'b', 'dead')],
    signup: [accepted('welcome-1', '')],
    webhook: [accepted('w1', '/a'), accepted('w2', '/b'), accepted('w3', '/a')],
    heard: [accepted('heard-1', '')],
    push: [accepted('p1', 'ada'), accepted('p2', 'ada')],
    post: ['a1', 'b1', 'a2'].map((id) => accepted(id, `lobby ${id[0]}`)),
  };
  const pushes = ['p1', 'p2'].flatMap((id) =>
    DEVICES.map(({ endpoint }) => pushName(id, endpoint)),
  );
  return {
    accepted: ours,
    seen: {
      mail: seen('mail-1', 'welcome-1', 'mail-1'),
      webhook: seen('w2', 'w1', 'w3', 'w1'),
      relayed: seen('mail-2', 'heard-1'),
      push: seen(...pushes),
    },
    devices: new Map([['ada', DEVICES]]),
    rooms: new Map([['lobby', [said('a1', 'b1', 'a2'), said('b1', 'a1', 'a2')]]]),
  };
}

describe('the checks of the field', () => {
  it('find nothing wrong with what is as it should be', () => {
    expect(wrongOf(good())).toEqual([]);
  });

  type Good = ReturnType<typeof good>;
  it.each<[string, (all: Good) => void, string]>([
    ['a lost mail', (all) => all.seen.mail.times.delete('welcome-1'), 'mail welcome-1 was never'],
    ['a mail from nowhere', (all) => all.seen.mail.see('mail-2', 9), 'mail mail-2 was seen, and'],
    ['a lost bounce', (all) => all.seen.relayed.times.delete('mail-2'), 'relayed mail-2 was never'],
    ['a lost webhook', (all) => all.seen.webhook.times.delete('w3'), 'webhook w3 was never seen'],
    [
      'one that overtakes',
      (all) => (all.seen.webhook = seen('w3', 'w1', 'w2')),
      'w3 came before w1',
    ],
    [
      'a push that one device lacks',
      (all) => all.seen.push.times.delete(pushName('p2', 'watch')),
      'push p2 on watch was never seen',
    ],
    [
      'a push on a device that is gone',
      (all) => all.seen.push.see(pushName('p1', 'gone'), 9),
      'push p1 on gone was seen, and',
    ],
    [
      'pushes that change places on a device',
      ({ seen: { push } }) => {
        const first = pushName('p1', 'watch');
        push.times.delete(first);
        push.see(first, 9);
      },
      'p2 on watch came before p1 on watch',
    ],
    ['a lost post', (all) => all.rooms.set('lobby', [said('a1', 'b1')]), '3 posts, and told 2'],
    [
      'a post told twice',
      (all) => all.rooms.set('lobby', [said('a1', 'b1', 'b1')]),
      'not each once',
    ],
    [
      'an author out of order',
      (all) => all.rooms.set('lobby', [said('a2', 'b1', 'a1')]),
      'order of a1',
    ],
    [
      'a number that is missing',
      (all) =>
        all.rooms.set('lobby', [
          said('a1', 'b1', 'a2').map((each) => ({ ...each, seq: each.seq + 1 })),
        ]),
      '3 posts, and told 3',
    ],
  ])('see %s', (_, damage, expected) => {
    const all = good();
    damage(all);
    expect(wrongOf(all).join('\n')).toContain(expected);
  });
});
