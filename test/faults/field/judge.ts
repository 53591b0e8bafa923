import assert from 'node:assert/strict';
import type { Client } from 'pg';
import type { Engine } from '../../../libs/messaging/src/engine.js';
import type { ApiClient } from '../../support/api.client.js';
import { eventually } from '../../support/eventually.js';
import type { DeviceSubscription } from '../../support/push.peer.js';
import { opened } from '../remains.js';
import { endingAs, pushesOf, wrongOf, type Testimony } from './checks.js';
import type { FieldFollowers } from './followers.js';
import { ROOMS, SLOW, type Accepted, type Kind, type Load } from './load.js';
import type { FieldPeers, Sightings } from './peers.js';

/** A run of the field, whose load has ended. */
export interface Field {
  name: string;
  load: Load;
  peers: FieldPeers;
  followers: FieldFollowers;
  /** Of each user, those that are there. */
  devices: ReadonlyMap<string, DeviceSubscription[]>;
  api: ApiClient;
  /** The store. */
  url: string;
  source: Client;
  target: Client;
}

/** What a run came to. */
export interface Found {
  /** Everything that is not as it should be. */
  wrong: string[];
  accepted: Record<Kind, number>;
  /** Turns that have ended, of whatever the load has led to. */
  handled: number;
  kills: number;
}

/** What else is told of a run. */
export interface RunFigures {
  seed: number;
  kills: number;
  /** How long there was load, and until all had ended, seconds. */
  loaded: number;
  settled: number;
}

/** Actors that have nothing left to do in the end. */
const ACTORS = ['email', 'paced-email', 'webhook', 'push', 'push-device', 'chat', 'relay'];
const PIPELINES = ['rows', 'signups'];
const PATIENCE = { timeout: 600_000, interval: 500 };
/** How many messages are looked at at once. */
const AT_ONCE = 8;

/** Waits until everything that was accepted has ended, and everything that follows from it. */
export async function settled(field: Field, check: () => void): Promise<void> {
  const { load, api, followers } = field;
  const engine = await opened(field.url);
  try {
    await eventually(async () => {
      check();
      await load.sync();
      assert.deepEqual(await rowsOf(field), []);
      const last = load.accepted.signup.at(-1);
      if (last) await api.message(last.id);
      for (const actor of ACTORS) {
        const { waiting, delayed, active } = await engine.counts(actor);
        assert.deepEqual([actor, waiting, delayed, active], [actor, 0, 0, 0]);
      }
      // What followers lack is told in the end, if it does not come.
      const told = ROOMS.flatMap((room) => followers.told(room)).flat().length;
      assert.equal(told, 2 * load.accepted.post.length);
    }, PATIENCE);
  } finally {
    await engine.close();
  }
}

/** Compares what was accepted with what the store says of it, and with what its receivers have seen; tells how fast it was. */
export async function judge(field: Field, run: RunFigures): Promise<Found> {
  const { load, peers, followers, devices } = field;
  const { accepted } = load;
  const testimony: Testimony = {
    accepted,
    seen: {
      ...{ mail: peers.mails, webhook: peers.webhooks },
      ...{ relayed: peers.relayed, push: peers.pushes },
    },
    devices,
    rooms: new Map(ROOMS.map((room) => [room, followers.told(room)])),
  };
  const engine = await opened(field.url);
  try {
    const counts = await Promise.all(ACTORS.map((actor) => engine.counts(actor)));
    const done = new Map(ACTORS.map((actor, n) => [actor, counts[n]?.done ?? 0]));
    const wrong = [
      ...(await statesOf(field, engine)),
      ...(await lettersOf(field, engine)),
      ...(await devicesOf(field, engine)),
      ...countsOf(load, done),
      ...wrongOf(testimony),
      ...(await rowsOf(field)),
    ];
    const handled = [...done.values()].reduce((sum, n) => sum + n, 0);
    tell(field, testimony, { ...run, handled, wrong: wrong.length });
    const found = Object.entries(accepted).map(([kind, { length }]) => [kind, length]);
    const numbers = Object.fromEntries(found) as Found['accepted'];
    return { wrong, accepted: numbers, handled, kills: run.kills };
  } finally {
    await engine.close();
  }
}

/** How each has ended. */
async function statesOf({ load, api }: Field, engine: Engine): Promise<string[]> {
  const wrong: string[] = [];
  const left = Object.entries(load.accepted).flatMap(([kind, all]) =>
    all.map((each) => ({ ...each, kind })),
  );
  const look = async (): Promise<void> => {
    for (let next = left.pop(); next; next = left.pop()) {
      const { kind, id, end } = next;
      // The API does not know the actor of the relay.
      const state =
        kind === 'heard'
          ? (await engine.find(`hook:shop:${id}@relay`, ['relay']))?.state
          : (await api.request<{ state?: string }>('GET', `/v1/messages/${id}`)).body.state;
      if (state !== end) wrong.push(`${id} is ${state}, and should be ${end}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return wrong;
}

/** Dead letters are those that were to be. */
async function lettersOf({ load }: Field, engine: Engine): Promise<string[]> {
  const letters = await engine.deadLetters([...ACTORS, ...PIPELINES], { limit: 1_000_000 });
  const expected = new Set(endingAs('dead', Object.values(load.accepted).flat()));
  return letters
    .filter(({ envelope, reason }) => !(expected.has(envelope.id) && reason === 'rejected'))
    .map(({ envelope, reason, history }) => {
      const why = history.at(-1)?.error.message;
      return `${envelope.type} ${envelope.id} is a dead letter: ${reason}, ${why}`;
    });
}

/** The devices that are gone have been taken away, and no others. */
async function devicesOf({ devices }: Field, engine: Engine): Promise<string[]> {
  const wrong: string[] = [];
  const endpointsOf = (all: readonly DeviceSubscription[]): string =>
    all
      .map(({ endpoint }) => endpoint)
      .sort()
      .join(' ');
  for (const [user, there] of devices) {
    const state = (await engine.state('push', user))?.data;
    const kept = (state as { subscriptions?: DeviceSubscription[] } | undefined)?.subscriptions;
    const has = endpointsOf(kept ?? []);
    if (has !== endpointsOf(there)) wrong.push(`${user} has the devices ${has}`);
  }
  return wrong;
}

/** What turns have sent was stored once: twice would be a turn more. */
function countsOf({ accepted }: Load, done: ReadonlyMap<string, number>): string[] {
  const { mail, signup, webhook, heard } = accepted;
  const told = heard.length + endingAs('dead', mail).length;
  const expected = {
    email: endingAs('done', mail).length + signup.length,
    relay: told,
    webhook: endingAs('done', webhook).length + told,
  };
  return Object.entries(expected)
    .filter(([actor, n]) => done.get(actor) !== n)
    .map(([actor, n]) => `${actor} has ended ${done.get(actor)} messages, and should have ${n}`);
}

async function rowsOf({ load, source, target }: Field): Promise<string[]> {
  const [ours, theirs] = [await sumOf(source, 'source'), await sumOf(target, 'target')];
  const isRight = ours.n === load.rows && theirs.n === ours.n && theirs.sum === ours.sum;
  return isRight ? [] : [`${load.rows} rows: ${ours.n} ${ours.sum}, ${theirs.n} ${theirs.sum}`];
}

async function sumOf(client: Client, table: string): Promise<{ n: number; sum: string }> {
  const { rows } = await client.query<{ n: number; sum: string }>(
    `select count(*)::int as n, md5(string_agg(t::text, ',' order by id)) as sum from ${table} t`,
  );
  return rows[0] as { n: number; sum: string };
}

function tell(
  { name, load }: Field,
  testimony: Testimony,
  run: RunFigures & { handled: number; wrong: number },
): void {
  const accepted = Object.entries(load.accepted).map(([kind, { length }]) => `${length} ${kind}`);
  const again = Object.entries(testimony.seen).map(([kind, seen]) => `${seen.again} ${kind}`);
  const { seed, kills, loaded, settled: all, handled, wrong } = run;
  console.log(
    [
      `${name}: seed ${seed}, ${kills} kills of workers, load for ${loaded.toFixed(0)} s, all ended after ${all.toFixed(0)} s, ${wrong} wrong`,
      `accepted: ${accepted.join(', ')}, ${load.rows} rows; ${load.retries} sent again by their senders`,
      `handled: ${handled} turns, T = ${(handled / all).toFixed(0)}/s; seen again: ${again.join(', ')}`,
      ...latenciesOf(testimony),
    ].join('\n  '),
  );
}

/** From when something was sent until its receiver had it; of posts, until they had their numbers. */
function latenciesOf({ accepted, seen, devices }: Testimony): string[] {
  const { mail, signup, webhook, push, heard, post } = accepted;
  const until = (all: readonly Pick<Accepted, 'id' | 'at'>[], { times }: Sightings): number[] =>
    all.flatMap(
      ({ id, at }) =>
        times
          .get(id)
          ?.slice(0, 1)
          .map((first) => first - at) ?? [],
    );
  const shown = push.flatMap((each) => pushesOf(each, devices).map((id) => ({ id, at: each.at })));
  const isFree = ({ line }: Accepted) => !line.endsWith(`@${SLOW}`);
  const table: [string, number[]][] = [
    ['mail', until(mail.filter(isFree), seen.mail)],
    [
      'mail to a domain with a rate',
      until(
        mail.filter((each) => !isFree(each)),
        seen.mail,
      ),
    ],
    ['sign-up to its mail', until(signup, seen.mail)],
    ['webhook', until(webhook, seen.webhook)],
    ['webhook in to webhook out', until(heard, seen.relayed)],
    ['push', until(shown, seen.push)],
    ['post to its number', post.map(({ took }) => took)],
  ];
  return table.map(([what, times]) => {
    const sorted = times.sort((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)];
    return `${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
  });
}
