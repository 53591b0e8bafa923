import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RoutesActor } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest';
import { Greeter, openStage } from '../../api/test/stage.js';
import { eventually } from '../../../test/support/eventually.js';
import { type, type Shown, type TypeOptions } from './terminal.js';

/** Of the API that the command line talks to. */
export const KEY = 'k'.repeat(32);

/** The command line, and an API that listens on a port of this machine. */
export interface Stage {
  readonly app: () => NestFastifyApplication;
  /** Runs a command as it was typed. */
  readonly run: (line: string | readonly string[], options?: TypeOptions) => Promise<Shown>;
  /** Has a message of this id die. */
  readonly dead: (id: string) => Promise<void>;
}

/** One for all tests of a file. */
export function stageForFile(): Stage {
  let app: NestFastifyApplication;
  let env: Record<string, string>;
  beforeAll(async () => {
    app = await openStage({ apiKey: KEY, providers: [Greeter, RoutesActor] });
    await app.listen(0, '127.0.0.1');
    env = { CALLSHEET_API_URL: await app.getUrl(), CALLSHEET_API_KEY: KEY };
  });
  afterAll(() => app.close());
  beforeEach(() => {
    Greeter.mended = false;
  });

  const run: Stage['run'] = (line, options = {}) =>
    type(line, { ...options, env: { ...env, ...options.env } });
  const dead: Stage['dead'] = async (id) => {
    await run(['send', 'greeter.greet', '{"name":"later"}', '--id', id]);
    await eventually(async () => {
      const { out } = await run(['messages', 'show', id, '--json']);
      return (JSON.parse(out) as { state: string }).state === 'dead';
    });
  };
  return { app: () => app, run, dead };
}

/** Until the test is over. @returns its URL */
export async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
