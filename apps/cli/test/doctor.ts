import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, expect } from 'vitest';
import { openStage } from '../../api/test/stage.js';
import type { Finding } from '../src/doctor/check.js';
import { examination } from '../src/doctor/examination.js';
import { shellOf } from './terminal.js';

/** What the machine of the tests is told of by itself. */
const OF_MACHINE = ['tzdata-old', 'disk-nearly-full', 'disk-full', 'event-loop-lags'];

/** Keys of 32 bytes, as the environment has them. */
export const ONE = Buffer.alloc(32, 1).toString('base64');
export const TWO = Buffer.alloc(32, 2).toString('base64');

type Env = Record<string, string>;

/** The doctor, and an API that listens on a port of this machine. */
export interface DoctorStage {
  readonly app: () => NestFastifyApplication;
  readonly api: () => string;
  /** All that is found in an environment, but what is the matter with this machine. */
  readonly found: (env: Env, now?: () => number) => Promise<Finding[]>;
  /** The ids of that. */
  readonly ids: (env: Env, now?: () => number) => Promise<string[]>;
  /** Of these those about the store: what runs has its own. */
  readonly ofStore: (env: Env) => Promise<string[]>;
}

/** One for all tests of a file. */
export function doctorForFile(): DoctorStage {
  let app: NestFastifyApplication;
  let api: string;
  beforeAll(async () => {
    app = await openStage();
    await app.listen(0, '127.0.0.1');
    api = await app.getUrl();
  }, 60_000);
  afterAll(() => app.close());

  const found: DoctorStage['found'] = async (env, now = Date.now) => {
    const shell = shellOf({ CALLSHEET_API_URL: api, CALLSHEET_URL: 'memory:', ...env });
    const { findings } = await examination(shell, now);
    for (const { found: what, fix } of findings) expect([what, fix]).not.toContain('');
    return findings.filter(({ id }) => !OF_MACHINE.includes(id));
  };
  const ids: DoctorStage['ids'] = async (env, now) => (await found(env, now)).map(({ id }) => id);
  const ofStore: DoctorStage['ofStore'] = async (env) =>
    (await ids(env)).filter((id) => /^(redis|postgres|store|clock|encryption)-/.test(id));
  return { app: () => app, api: () => api, found, ids, ofStore };
}

/** A clock that is so far ahead, ms. */
export function later(ms: number): () => number {
  return () => Date.now() + ms;
}
