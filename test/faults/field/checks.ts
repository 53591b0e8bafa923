import type { DeviceSubscription } from '../../support/push.peer.js';
import { groupBy } from '../checks/check.js';
import type { Line } from './followers.js';
import type { Accepted, Kind } from './load.js';
import { pushName, type Sightings } from './peers.js';

/** What was accepted, and what its receivers say of it. */
export interface Testimony {
  accepted: Readonly<Record<Kind, readonly Accepted[]>>;
  /** By ids of messages, pushes by {@link pushName}. */
  seen: Readonly<Record<'mail' | 'webhook' | 'relayed' | 'push', Sightings>>;
  /** Of each user, those that are there. */
  devices: ReadonlyMap<string, readonly Pick<DeviceSubscription, 'endpoint'>[]>;
  /** By room, what each who follows it was told. */
  rooms: ReadonlyMap<string, readonly (readonly Line[])[]>;
}

/** Everything that is not as it should be. */
export function wrongOf(testimony: Testimony): string[] {
  return [...unseen(testimony), ...disordered(testimony), ...misheard(testimony)];
}

/** Ids of what should end so. */
export function endingAs(end: Accepted['end'], all: readonly Accepted[]): string[] {
  return all.filter((each) => each.end === end).map(({ id }) => id);
}

/** Names of a push on the devices of its user. */
export function pushesOf(
  { id, line }: Pick<Accepted, 'id' | 'line'>,
  devices: Testimony['devices'],
): string[] {
  return (devices.get(line) ?? []).map(({ endpoint }) => pushName(id, endpoint));
}

/** Everybody has seen what was for them, at least once, and nothing else. */
function unseen({ accepted, seen, devices }: Testimony): string[] {
  const { mail, signup, webhook, heard, push } = accepted;
  const table: [keyof Testimony['seen'], string[]][] = [
    ['mail', endingAs('done', [...mail, ...signup])],
    ['webhook', endingAs('done', webhook)],
    ['relayed', [...endingAs('done', heard), ...endingAs('dead', mail)]],
    ['push', push.flatMap((each) => pushesOf(each, devices))],
  ];
  return table.flatMap(([kind, ids]) => {
    const { times } = seen[kind];
    const expected = new Set(ids);
    const lost = ids.filter((id) => !times.has(id));
    const strange = [...times.keys()].filter((id) => !expected.has(id));
    return [
      ...lost.map((id) => `${kind} ${id} was never seen`),
      ...strange.map((id) => `${kind} ${id} was seen, and never accepted`),
    ];
  });
}

/** Webhooks of an endpoint, and pushes on a device, came first in the order in which they were accepted. */
function disordered({ accepted, seen, devices }: Testimony): string[] {
  const webhooks = accepted.webhook.filter(({ end }) => end === 'done');
  const lines = linesOf(webhooks).map((line) => line.map(({ id }) => id));
  const pushes = linesOf(accepted.push).flatMap((line) => {
    const there = devices.get(line[0]?.line ?? '') ?? [];
    return there.map(({ endpoint }) => line.map(({ id }) => pushName(id, endpoint)));
  });
  return [...overtaken(lines, seen.webhook), ...overtaken(pushes, seen.push)];
}

function overtaken(lines: string[][], { times }: Sightings): string[] {
  const places = new Map([...times.keys()].map((id, place) => [id, place]));
  return lines.flatMap((line) =>
    line.flatMap((id, n) => {
      const before = line[n - 1] ?? id;
      const isBefore = (places.get(id) ?? Infinity) < (places.get(before) ?? -1);
      return isBefore ? [`${id} came before ${before}`] : [];
    }),
  );
}

/** Whoever follows a room is told each post once, by number, and of each author in the order said. */
function misheard({ accepted, rooms }: Testimony): string[] {
  return [...rooms].flatMap(([room, followers]) => {
    const posts = accepted.post.filter(({ line }) => line.startsWith(`${room} `));
    const authors = linesOf(posts).map((line) => line.map(({ id }) => id));
    return followers.flatMap((told) => {
      const texts = told.map(({ text }) => text);
      const isNumbered = told.every(({ seq }, n) => seq === n + 1);
      const own = (line: string[]): string => texts.filter((text) => line.includes(text)).join();
      const isWhole = texts.length === posts.length && isNumbered;
      return [
        ...(isWhole ? [] : [`${room}: ${posts.length} posts, and told ${texts.length}`]),
        ...authors
          .filter((line) => own(line) !== line.join())
          .map((line) => `${room}: not each once, in the order of ${line[0]}`),
      ];
    });
  });
}

function linesOf(all: readonly Accepted[]): Accepted[][] {
  return [...groupBy(all, ({ line }) => line).values()];
}
