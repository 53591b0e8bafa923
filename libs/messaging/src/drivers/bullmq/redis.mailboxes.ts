import type { RedisClient } from 'bullmq';
import type { Carried } from '../../codec.js';
import type {
  JournalRow,
  KeyOrder,
  KeyPage,
  KeyRecord,
  KeyState,
  MailboxOptions,
  QuarantinedKey,
  StoredState,
} from '../../engine.js';
import { MOST_BEFORE, type KeyedJob } from '../../queues.js';
import type { Mailboxes } from './mailboxes.js';
import {
  EMPLOY,
  JOURNAL,
  MAILBOXES,
  QUARANTINED,
  RELEASE,
  STANDING,
  STATES,
} from './redis.key.scripts.js';
import { HEAL } from './redis.operations.js';
import { runScript, type Argument } from './redis.run.js';

/** How many mailboxes are looked at in one step when they are mended, how often, and how many mended ones are named. */
const HEALED_AT_ONCE = 500;
const HEAL_PAGES = 1_000;
const MOST_HEALED = 1_000;

/** A state as stored: revision, version, value. */
export type RawState = readonly [revision: string, version: string, value: string];

/** Those of one queue, under its key prefix. */
export class RedisMailboxes implements Mailboxes {
  constructor(
    private readonly client: () => Promise<RedisClient>,
    private readonly prefix: string,
  ) {}

  async employ({ reads, mailbox }: MailboxOptions): Promise<void> {
    const types = reads ? ['1', ...reads] : [''];
    await this.run('employ', EMPLOY, [mailbox, ...types]);
  }

  async state(key: string): Promise<StoredState | undefined> {
    const client = await this.client();
    const { revision, version, value } = await client.hgetall(`${this.prefix}state:${key}`);
    if (revision === undefined) return undefined;
    return toState([revision, version ?? '', value ?? '']);
  }

  async states({ after = '', limit }: { after?: string; limit: number }): Promise<KeyState[]> {
    const found: KeyState[] = [];
    for (let from = after; found.length < limit;) {
      const args = [from, limit - found.length];
      const [next = '', ...flat] = (await this.run('states', STATES, args)) as string[];
      for (const [key = '', ...raw] of inRows(flat, 4)) {
        found.push({ key, state: toState(raw as unknown as RawState) });
      }
      if (next === '') break;
      from = next;
    }
    return found;
  }

  async journal(
    key: string,
    { before, limit }: { before?: string; limit: number },
  ): Promise<JournalRow[]> {
    const rows = await this.run('journal', JOURNAL, [key, before, limit]);
    return (rows as [id: string, [name: string, row: string]][]).map(([id, [, row]]) => ({
      id,
      at: Number(id.split('-')[0]),
      row: JSON.parse(row) as JournalRow['row'],
    }));
  }

  list({ by, limit }: KeyPage): Promise<KeyRecord[]> {
    return this.records(by, limit);
  }

  async find(key: string): Promise<KeyRecord | undefined> {
    return (await this.records('key', 1, key))[0];
  }

  private async records(
    which: KeyOrder | 'key',
    limit: number,
    key?: string,
  ): Promise<KeyRecord[]> {
    const rows = await this.rows('mailboxes', MAILBOXES, [which, limit, key], 4);
    return rows.map(([name = '', depth, since, isQuarantined]) => ({
      key: name,
      depth: Number(depth),
      since: Number(since),
      isQuarantined: Number(isQuarantined) === 1,
    }));
  }

  async standingBefore(jobs: readonly KeyedJob[]): Promise<Map<string, number>> {
    const args = jobs.flatMap(({ id, key }) => [key, id]);
    const rows = await this.rows('standing', STANDING, args, 2);
    return new Map(rows.map(([id = '', before]) => [id, Math.min(Number(before), MOST_BEFORE)]));
  }

  async quarantined(): Promise<QuarantinedKey[]> {
    const rows = await this.rows('quarantined', QUARANTINED, [], 3);
    return rows
      .map(([key = '', stopped = '', depth]) => ({
        key,
        ...(JSON.parse(stopped) as Omit<QuarantinedKey, 'key' | 'depth'>),
        depth: Number(depth),
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async release(key: string): Promise<boolean> {
    return (await this.run('release', RELEASE, [key])) === 1;
  }

  async heal(): Promise<string[]> {
    const healed = new Set<string>();
    for (let page = 0; page < HEAL_PAGES && healed.size < MOST_HEALED; page++) {
      const args = [page * HEALED_AT_ONCE, HEALED_AT_ONCE];
      const [isMore, keys] = (await this.run('heal', HEAL, args)) as [number, string[]];
      for (const key of keys) healed.add(key);
      if (isMore === 0) break;
    }
    return [...healed].slice(0, MOST_HEALED);
  }

  /** What a script answers as one flat list, in rows. */
  private async rows(
    name: string,
    script: () => string,
    args: readonly Argument[],
    width: number,
  ): Promise<string[][]> {
    return inRows((await this.run(name, script, args)) as string[], width);
  }

  private async run(
    name: string,
    script: () => string,
    args: readonly Argument[],
  ): Promise<unknown> {
    return runScript(await this.client(), name, script, [1, this.prefix, ...args]);
  }
}

function inRows(flat: readonly string[], width: number): string[][] {
  const rows: string[][] = [];
  for (let at = 0; at < flat.length; at += width) rows.push(flat.slice(at, at + width));
  return rows;
}

export function toState([revision, version, value]: RawState): StoredState {
  const carried = JSON.parse(value) as Carried;
  return Object.assign(carried, { revision: Number(revision), version: Number(version) });
}
