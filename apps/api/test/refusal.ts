import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { expect } from 'vitest';

export type Request = Exclude<Parameters<NestFastifyApplication['inject']>[0], string | undefined>;

/** What a request is refused with, and the field that is named first. */
export type Refusal = [status: number, code: string, path?: string];

/** How a request is refused: with a problem of bounded size. */
export async function refusalOf(app: NestFastifyApplication, request: Request): Promise<Refusal> {
  const response = await app.inject(request);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.body.length).toBeLessThan(8_192);
  const { type, status, code, errors = [] } = response.json<Problem>();
  expect({ type, status }).toEqual({
    type: `urn:callsheet:problem:${code}`,
    status: response.statusCode,
  });
  const [first] = errors;
  return first ? [status, code, first.path] : [status, code];
}

interface Problem {
  type: string;
  status: number;
  code: string;
  errors?: { path: string }[];
}
