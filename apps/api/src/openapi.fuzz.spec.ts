import { parseSecret, sign } from '@callsheet/contracts';
import {
  Actor,
  Handle,
  Message,
  RejectError,
  RoutesActor,
  UnroutedActor,
  type Turn,
} from '@callsheet/messaging';
import { Pipeline, type Pull } from '@callsheet/sync';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import type { OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../test/support/eventually.js';
import { requestsTo, type Described, type FuzzRequest } from '../test/fuzz.requests.js';
import { Greeter, Keep, openStage, send } from '../test/stage.js';
import { problem, PROBLEM_TYPE, PROBLEMS } from './problem.js';

/** `npm run test:fuzz` asks for many, and others each time; `FUZZ_SEED` asks for those of a run that failed. */
const FULL = process.env['FUZZ'] === 'full';
const REQUESTS = FULL ? 20_000 : 1_500;
const SEED = Number(process.env['FUZZ_SEED'] ?? (FULL ? Date.now() % 2 ** 31 : 20_261_129));
/** Any store can be tried, `pglite:` and a folder say. */
const STORE = process.env['FUZZ_URL'] ?? 'memory:';
/** Requests under way at once. */
const ABREAST = 24;
/** Milliseconds after which the API gives up an answer. */
const PATIENCE = 2_000;
/** Milliseconds within which every answer must come, on a machine that is busy. */
const LONGEST = 10_000;

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

class Put extends Message('vault.put', z.strictObject({ vault: z.string(), coins: z.int() }), {
  key: 'vault',
  reply: z.int(),
}) {}
const Coins = z.object({ coins: z.int().default(0) });

@Actor({ state: Coins, retry: { attempts: 2, delay: 0, jitter: 0 } })
class Vault {
  @Handle(Put)
  put({ coins }: Put, turn: Turn<typeof Coins>): number {
    if (coins < 0) throw new RejectError('a coin is missing');
    turn.journal({ coins });
    return (turn.state.coins += coins);
  }
}

@Actor({ name: 'shelf' })
class Shelf {
  @Handle(Keep)
  keep(): void {}
}

@Pipeline({ name: 'numbers', every: '1h', page: 4, retry: { attempts: 2, delay: '1s' } })
class Numbers {
  pull(cursor: unknown, { limit }: Pull) {
    const from = typeof cursor === 'number' ? cursor : 0;
    const rows = Array.from({ length: Math.max(0, Math.min(10 - from, limit)) }, (_, n) => n);
    return { rows, cursor: from + rows.length, more: from + rows.length < 10 && rows.length > 0 };
  }

  push(): void {}
}

const WEEKLY = {
  id: 'weekly',
  message: { type: 'greeter.greet', data: { name: 'Ada' } },
  cron: '0 7 * * 1',
};

const LED = { order: 1, match: { topic: 'greeter.*' }, to: ['shelf'] };
const { id: _, ...CHANGED } = { ...WEEKLY, cron: '0 8 * * *', overlap: 'buffer-one', tags: ['a'] };

/** Bodies that are good, for the calls whose schema makes few of them. */
const BODIES = {
  createSchedule: [WEEKLY, { ...WEEKLY, id: 'new', window: '10m', tz: 'Europe/Madrid' }],
  putSchedule: [CHANGED, { message: WEEKLY.message, every: '1h', limit: 3 }],
  backfillSchedule: [{ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', dryRun: true }],
  putRoute: [LED, { ...LED, match: { when: 'data.name == "Ada"' }, last: true }],
  askMessage: [{ type: 'vault.put', data: { vault: 'a', coins: 1 } }],
};

let app: NestFastifyApplication;
let document: Described;
let known: Record<string, string[]>;

beforeAll(async () => {
  vi.stubEnv('HOOK_SECRETS', `shop=${SECRET}`);
  const providers = [Greeter, Vault, Shelf, Numbers, RoutesActor, UnroutedActor];
  app = await openStage({ url: STORE, providers, patience: PATIENCE });
  // What makes it is loaded when it is first asked for, which may take longer than the patience.
  document = await eventually(async () => {
    const response = await app.inject({ url: '/openapi.json' });
    if (response.statusCode !== 200) throw new Error(response.body);
    return response.json<Described>();
  });
  await send(app, { type: 'shelf.keep', data: { n: 1 }, id: 'taken', delay: '1h' });
  await send(app, { type: 'greeter.greet', data: { name: 'nobody' }, id: 'dead' });
  await send(app, { type: 'vault.put', data: { vault: 'a', coins: 3 } });
  const made = [
    await app.inject({ method: 'POST', url: '/v1/schedules', payload: WEEKLY }),
    await app.inject({ method: 'PUT', url: '/v1/routes/led', payload: LED }),
    await app.inject({
      method: 'POST',
      url: '/v1/api-keys',
      payload: { name: 'x', role: 'admin' },
    }),
  ];
  for (const { statusCode, body } of made) if (statusCode !== 201) throw new Error(body);
  const { id: key } = made[2]!.json<{ id: string }>();
  known = {
    ...{ messages: ['taken', 'dead'], 'dead-letters': ['dead'], 'api-keys': [key, key, 'x'] },
    ...{ actors: ['greeter', 'shelf', 'vault', 'vault'], keys: ['a'], routes: ['led', 'new'] },
    ...{ schedules: ['weekly', 'new'], rooms: ['lobby'], sync: ['numbers'], hooks: ['shop'] },
    ...{
      topics: ['greeter.greet', 'shelf.keep', 'hooks.shop.x'],
      subscriptions: ['shelf', 'gone'],
    },
  };
});
afterAll(async () => {
  await app.close();
  vi.unstubAllEnvs();
});

it(
  `answers ${REQUESTS} requests made of its description as that says: seed ${SEED}`,
  { timeout: FULL ? 600_000 : 120_000 },
  async () => {
    const requests = fc.sample(requestsTo(document, known, BODIES), {
      numRuns: REQUESTS,
      seed: SEED,
    });
    const faults: string[] = [];
    const answers = new Map<string, Set<number>>();
    const judge = judgeOf(document);
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let at = next++; at < requests.length && faults.length < 10; at = next++) {
        const request = signedIfHook(requests[at]!, at);
        const begun = performance.now();
        const answer = await ask(request).catch((error: Error) => error.stack ?? error.message);
        const fault =
          typeof answer === 'string'
            ? answer
            : (judge(request, answer) ??
              (performance.now() - begun > LONGEST ? 'the answer took too long' : undefined));
        if (fault !== undefined) faults.push(`${fault}\n  to ${shown(request)}`);
        if (typeof answer === 'string') continue;
        const call = `${request.method} ${request.path}`;
        answers.set(call, (answers.get(call) ?? new Set()).add(answer.status));
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, worker));
    expect(faults, `FUZZ_SEED=${SEED}`).toEqual([]);

    const ready = await app.inject({ url: '/health/ready' });
    expect(ready.statusCode).toBe(200);
    // A fuzz that only the door sees proves nothing: good answers came of nearly every call too, and bad ones.
    const calls = Object.values(document.paths).flatMap((item) => Object.keys(item)).length;
    const statuses = [...answers.values()].map((each) => [...each]);
    const wellMet = statuses.filter((each) => each.some((status) => status < 300)).length;
    const refused = statuses.filter((each) => each.some((status) => status >= 400)).length;
    expect(answers.size).toBe(calls);
    expect(wellMet).toBeGreaterThan(calls * 0.7);
    expect(refused).toBeGreaterThan(calls * 0.9);
  },
);

interface Answer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: string;
}

/** What is wrong with an answer; undefined when nothing is. */
type Judge = (request: FuzzRequest, answer: Answer) => string | undefined;

async function ask({ verb, url, headers, payload }: FuzzRequest): Promise<Answer> {
  const response = await app.inject({
    ...{ method: verb as 'GET', url, headers, payloadAsStream: true },
    ...(payload !== undefined && { payload }),
  });
  const { statusCode: status, headers: answered } = response;
  // A stream of events does not end.
  if (`${answered['content-type']}`.startsWith('text/event-stream')) {
    response.stream().destroy();
    return { status, headers: answered, body: '' };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of response.stream()) chunks.push(Buffer.from(chunk as Buffer));
  return { status, headers: answered, body: Buffer.concat(chunks).toString() };
}

function judgeOf(described: Described): Judge {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false });
  ajv.addSchema(described, 'openapi');
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (path: string, method: string, status: number): ValidateFunction => {
    const place = ['paths', path, method, 'responses', status, 'content', 'application/json'];
    const pointer = [...place, 'schema']
      .map((part) => `${part}`.replaceAll('~', '~0').replaceAll('/', '~1'))
      .map(encodeURIComponent)
      .join('/');
    const found = validators.get(pointer) ?? ajv.compile({ $ref: `openapi#/${pointer}` });
    validators.set(pointer, found);
    return found;
  };

  return ({ path, method, verb }, { status, headers, body }) => {
    if (({} as { polluted?: unknown }).polluted !== undefined)
      return 'Object.prototype is polluted';
    if (Object.values(headers).some((value) => /[\r\n]/.test(String(value)))) {
      return 'a header has a line break';
    }
    if (headers['x-content-type-options'] !== 'nosniff') return `${status} without nosniff`;
    if (status >= 500 && status !== 503 && status !== 504) return `${status}: ${body}`;
    if (status >= 400) return verb === 'HEAD' ? undefined : problemFault(status, headers, body);
    if (verb !== method.toUpperCase()) return undefined;
    const declared = described.paths[path]?.[method]?.responses[status];
    if (!declared) return `${status} is not declared`;
    if (!declared.content?.['application/json']) return undefined;
    const validate = validatorOf(path, method, status);
    if (validate(JSON.parse(body))) return undefined;
    return `${status}: ${ajv.errorsText(validate.errors)}: ${body.slice(0, 500)}`;
  };
}

/** How code and files of a server are named. */
const INSIDE = /\bat .+:\d+:\d+|node_modules|file:\/\/|\/(apps|libs)\/\w+\/src\/|\.(ts|js):\d+/;

function problemFault(
  status: number,
  headers: OutgoingHttpHeaders,
  body: string,
): string | undefined {
  const where = `${status} ${body.slice(0, 500)}`;
  if (!`${headers['content-type']}`.startsWith(PROBLEM_TYPE)) return `${where}: is no problem`;
  if (body === '') return `${where}: is empty`;
  const parsed = problem.safeParse(JSON.parse(body));
  if (!parsed.success) return `${where}: ${parsed.error.message}`;
  if (PROBLEMS[parsed.data.code][0] !== status) return `${where}: has another status`;
  if (body.length > 16_384) return `${where}: is as long as ${body.length}`;
  if (INSIDE.test(body) || body.includes(process.cwd())) return `${where}: tells what is inside`;
  return undefined;
}

/** Every second webhook has the signature of a known source. */
function signedIfHook(request: FuzzRequest, at: number): FuzzRequest {
  if (request.path !== '/v1/hooks/{source}' || at % 2 === 0) return request;
  const seconds = Math.floor(Date.now() / 1_000);
  const signature = sign(parseSecret(SECRET, ''), `m${at}`, seconds, request.payload ?? '');
  const signed = { 'webhook-id': `m${at}`, 'webhook-timestamp': `${seconds}` };
  return {
    ...request,
    url: '/v1/hooks/shop',
    headers: { ...request.headers, ...signed, 'webhook-signature': signature },
  };
}

function shown(request: FuzzRequest): string {
  return JSON.stringify(request, (_, value: unknown) =>
    typeof value === 'string' && value.length > 2_000 ? `${value.slice(0, 2_000)}…` : value,
  );
}
