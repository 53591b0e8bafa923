import { mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** When, by a clock that all processes of one machine share, and where something was written down. */
export interface Stamp {
  /** CLOCK_MONOTONIC in microseconds: comparable between processes, and nothing sets it. */
  t: number;
  /** The same as epoch milliseconds, by the clock of who reads: that of a writer may have been set wrong. */
  at: number;
  pid: number;
}

/** What a sender meant to send. Without `key`: no order is owed. */
export interface Intent {
  kind: 'intent';
  id: string;
  key?: string;
  n: number;
  /** Sent together with others of the same name: all of them or none. */
  batch?: string;
}

/** What came of it: stored, certainly not stored, or nobody knows. Only what was acked is owed. */
export interface Answer {
  kind: 'acked' | 'refused' | 'unknown';
  id: string;
}

/** A handler began. `run` names this execution among all of its message. */
export interface Start {
  kind: 'start';
  id: string;
  run: string;
  key?: string;
  n?: number;
  /** Not before this time, epoch milliseconds. */
  due?: number;
}

/** A handler ended; whether anything of it was committed, only the store knows. */
export interface End {
  kind: 'end';
  id: string;
  run: string;
  how: 'returned' | 'thrown' | 'rejected';
}

/** A fault that was really injected, from `t` until `until`. Without `victim` it touched everybody. */
export interface Fault {
  kind: 'fault';
  name: string;
  until: number;
  victim?: number;
}

/** A process found nothing left to do. */
export interface Idle {
  kind: 'idle';
}

/** A process reads a page of a pipeline. */
export interface PageRead {
  kind: 'page';
  /** The most memory that it has had so far, MiB. */
  rss: number;
}

export type Entry = Intent | Answer | Start | End | Fault | Idle | PageRead;
export type Event = Entry & Stamp;
export type EventOf<K extends Event['kind']> = Extract<Entry, { kind: K }> & Stamp;

/** Microseconds of CLOCK_MONOTONIC. */
export const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n);

/**
 * What happened, written down outside of the system under test: one file per process, one line per event, each with a write
 * of its own. So it survives `kill -9` of its writer, and the store cannot take anything back.
 */
export class Ledger {
  private readonly file: number;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.file = openSync(fileOf(dir, process.pid), 'a');
  }

  /** @param t when it began, if that is not now */
  write(entry: Entry, t = monotonic()): void {
    writeSync(this.file, `${JSON.stringify({ t, pid: process.pid, ...entry })}\n`);
  }
}

/** Everything of all processes, in order of time. */
export function readLedger(dir: string): Event[] {
  const epoch = Date.now() - monotonic() / 1_000;
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => linesOf(path.join(dir, name)))
    .map((line) => JSON.parse(line) as Entry & Omit<Stamp, 'at'>)
    .map((event) => ({ ...event, at: epoch + event.t / 1_000 }))
    .sort((a, b) => a.t - b.t);
}

/** How many lines a process has written: how far it has come. */
export function progressOf(dir: string, pid: number): number {
  return linesOf(fileOf(dir, pid)).length;
}

function fileOf(dir: string, pid: number): string {
  return path.join(dir, `${pid}.jsonl`);
}

/** Whole lines only: the last one of a process that was killed in the middle of a write never happened. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
