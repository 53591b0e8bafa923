import { Api } from '../api.js';
import { EXIT, Failure } from '../exit.js';
import type { Shell } from '../shell.js';
import { examine, type Finding } from './check.js';
import { CLOCK } from './clock.js';
import { ENCRYPTION } from './encryption.js';
import { ENVIRONMENT, encryptionKeysOf } from './environment.js';
import { HELD, MACHINE, machineFacts } from './machine.js';
import { POSTGRES, postgresFacts } from './postgres.js';
import { REDIS, redisFacts } from './redis.js';
import { RUNNING, runningFacts, type Running } from './running.js';

/** What was looked at, and what was found. */
export interface Examination {
  /** Whether there is no error among the findings. */
  ok: boolean;
  looked: string[];
  findings: Finding[];
}

/**
 * Looks for the usual mistakes: in the environment, on this machine, in the store that `CALLSHEET_URL` names, and at what runs, if
 * the API is there. Changes nothing.
 *
 * @param now the clock of this process, epoch ms
 */
export async function examination(
  shell: Shell,
  now: () => number = Date.now,
): Promise<Examination> {
  const { env } = shell;
  const url = env.CALLSHEET_URL || 'pglite:./.callsheet';
  const embedded = url.startsWith('pglite:') ? url.slice('pglite:'.length) : undefined;
  const machine = await machineFacts(embedded);
  const store = await storeFindings(shell, url, now);
  const running = await lookAtRunning(shell, now);
  const findings = [
    ...examine(ENVIRONMENT, env),
    ...examine(MACHINE, machine),
    ...store.findings,
    ...examine([HELD], { ...machine, isAnswered: running.isAnswered }),
    ...running.findings,
  ].sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  return {
    ok: findings.every(({ severity }) => severity !== 'error'),
    looked: ['environment', 'machine', ...store.looked, ...running.looked],
    findings,
  };
}

interface Part {
  looked: string[];
  findings: Finding[];
}

async function storeFindings({ env }: Shell, url: string, now: () => number): Promise<Part> {
  const keys = encryptionKeysOf(env);
  try {
    if (/^rediss?(\+cluster)?:/.test(url)) {
      const facts = await redisFacts(url, now);
      const found = [...examine(REDIS, facts), ...examine(CLOCK, facts)];
      return {
        looked: ['redis'],
        findings: [...found, ...examine(ENCRYPTION, { ...facts, keys })],
      };
    }
    if (/^postgres(ql)?:/.test(url)) {
      const facts = await postgresFacts(url, now);
      const found = [...examine(POSTGRES, facts), ...examine(CLOCK, facts)];
      return {
        looked: ['postgres'],
        findings: [...found, ...examine(ENCRYPTION, { ...facts, keys })],
      };
    }
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    return one(
      'error',
      'store-unreachable',
      `the store cannot be asked: ${message || code}`,
      'see that it runs, and that CALLSHEET_URL names it with its password',
    );
  }
  // An embedded store belongs to its process, and is looked at through the API.
  if (/^(pglite|memory):/.test(url)) return { looked: [], findings: [] };
  return one(
    'error',
    'store-unknown',
    'CALLSHEET_URL has no scheme of a store',
    'use redis://, rediss://, postgres://, pglite: or memory:',
  );
}

async function lookAtRunning(
  shell: Shell,
  now: () => number,
): Promise<Part & { isAnswered: boolean }> {
  let running: Running;
  try {
    running = await runningFacts(new Api(shell), now);
  } catch (error) {
    shell.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const { exit, message, hint } = error;
    const fix = hint ?? 'see what the log of the API says';
    return exit === EXIT.unreachable
      ? { ...one('warning', 'api-away', message, fix), isAnswered: false }
      : { ...one('error', 'api-refuses', message, fix), isAnswered: true };
  }
  const findings = examine(RUNNING, { ...running, now: now() });
  return { looked: ['api'], findings, isAnswered: true };
}

function one(severity: Finding['severity'], id: string, found: string, fix: string): Part {
  return { looked: [], findings: [{ id, severity, found, fix }] };
}
