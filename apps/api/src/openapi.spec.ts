import { Message, MessageRegistry, type MessageClass } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openStage } from '../test/stage.js';

interface Document {
  openapi: string;
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        parameters?: { name: string }[];
        responses: object;
        security?: object[];
      }
    >
  >;
  components: { schemas: Record<string, { oneOf?: unknown[] }>; securitySchemes?: object };
  security?: object[];
}

interface Tree {
  branches: Tree[];
}
const tree: z.ZodType<Tree, Tree> = z.object({ branches: z.array(z.lazy(() => tree)) });

/** A message whose data and reply refer to themselves. */
class Graft extends Message('garden.graft', tree, { reply: tree }) {}

let app: NestFastifyApplication;
let document: Document;

beforeAll(async () => {
  app = await openStage();
  app.get(MessageRegistry).add(Graft as unknown as MessageClass);
  document = (await app.inject({ url: '/openapi.json' })).json<Document>();
});
afterAll(() => app.close());

/** Every value of a key, anywhere inside. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) =>
    name === key && typeof child === 'string' ? [child] : valuesOf(key, child),
  );
}

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 and names every call', () => {
    expect(document.openapi).toBe('3.1.0');
    const calls = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(calls.sort()).toEqual([
      'DELETE /v1/api-keys/{id}',
      'DELETE /v1/dead-letters/{id}',
      'DELETE /v1/messages/{id}',
      'DELETE /v1/routes/{id}',
      'DELETE /v1/schedules/{id}',
      'DELETE /v1/subscriptions/{actor}',
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
      'GET /v1/activity',
      'GET /v1/actors',
      'GET /v1/actors/{actor}',
      'GET /v1/actors/{actor}/keys',
      'GET /v1/actors/{actor}/keys/{key}',
      'GET /v1/actors/{actor}/keys/{key}/journal',
      'GET /v1/api-keys',
      'GET /v1/api-keys/{id}',
      'GET /v1/audit',
      'GET /v1/dead-letters',
      'GET /v1/dead-letters/{id}',
      'GET /v1/dead-letters:groups',
      'GET /v1/events',
      'GET /v1/me',
      'GET /v1/messages',
      'GET /v1/messages/{id}',
      'GET /v1/rooms/{room}',
      'GET /v1/rooms/{room}/events',
      'GET /v1/rooms/{room}/socket',
      'GET /v1/routes',
      'GET /v1/routes/{id}',
      'GET /v1/routes/{id}/history',
      'GET /v1/schedules',
      'GET /v1/schedules/{id}',
      'GET /v1/schedules/{id}/next',
      'GET /v1/schedules/{id}/runs',
      'GET /v1/subscriptions',
      'GET /v1/subscriptions/{actor}',
      'GET /v1/sync',
      'GET /v1/sync/{pipeline}',
      'GET /v1/sync/{pipeline}/history',
      'POST /v1/actors/{actor}/keys/{key}/release',
      'POST /v1/actors/{actor}/pause',
      'POST /v1/actors/{actor}/resume',
      'POST /v1/api-keys',
      'POST /v1/api-keys/{id}/rotate',
      'POST /v1/dead-letters/{id}/redrive',
      'POST /v1/dead-letters:redrive',
      'POST /v1/hooks/{source}',
      'POST /v1/messages',
      'POST /v1/messages:ask',
      'POST /v1/messages:batch',
      'POST /v1/rooms/{room}/messages',
      'POST /v1/routes:test',
      'POST /v1/schedules',
      'POST /v1/schedules/{id}/backfill',
      'POST /v1/schedules/{id}/pause',
      'POST /v1/schedules/{id}/resume',
      'POST /v1/schedules/{id}/trigger',
      'POST /v1/schedules:preview',
      'POST /v1/sync/{pipeline}/backfill',
      'POST /v1/sync/{pipeline}/pause',
      'POST /v1/sync/{pipeline}/reset',
      'POST /v1/sync/{pipeline}/resume',
      'POST /v1/sync/{pipeline}/run',
      'POST /v1/topics/{topic}',
      'POST /v1/topics/{topic}:ask',
      'PUT /v1/routes/{id}',
      'PUT /v1/schedules/{id}',
    ]);
  });

  it('describes the good answer and the problem of each call', () => {
    for (const operation of Object.values(document.paths).flatMap(Object.values)) {
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.responses).toMatchObject({
        default: {
          content: {
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          },
        },
      });
      const good = Object.keys(operation.responses).filter((status) =>
        /^(101|20[0124])$/.test(status),
      );
      expect(good).not.toEqual([]);
      // The problem, and the good answer where it has a body.
      const shapes = /^(101|204)$/.test(good[0] ?? '') ? 1 : 2;
      expect(valuesOf('$ref', operation).length).toBeGreaterThanOrEqual(shapes);
    }
  });

  it('says of each call that changes something what an Idempotency-Key does', () => {
    const without: string[] = [];
    const ignored: string[] = [];
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of ['post', 'put', 'delete']) {
        const operation = item[method] as
          | { operationId: string; parameters?: { name: string; description?: string }[] }
          | undefined;
        const keys = operation?.parameters?.filter(({ name }) => name === 'Idempotency-Key') ?? [];
        expect(keys.length).toBeLessThanOrEqual(1);
        if (operation && keys.length === 0) without.push(path);
        if (/not needed/.test(keys[0]?.description ?? '')) ignored.push(operation!.operationId);
      }
    }
    expect(without).toEqual(['/v1/hooks/{source}']);
    expect(ignored.sort()).toEqual([
      'cancelMessage',
      'deleteRoute',
      'deleteSchedule',
      'deleteSubscriptions',
      'discardDeadLetter',
      'pauseActor',
      'pausePipeline',
      'pauseSchedule',
      'previewSchedule',
      'putRoute',
      'putSchedule',
      'resumeActor',
      'resumePipeline',
      'resumeSchedule',
      'revokeApiKey',
      'testRoutes',
    ]);
  });

  it('has no reference that leads nowhere', () => {
    const references = new Set(valuesOf('$ref', document));
    expect(references.size).toBeGreaterThan(10);
    for (const reference of references) {
      expect(reference).toMatch(/^#\//);
      const target = (reference as string)
        .slice(2)
        .split('/')
        .reduce<unknown>(
          (node, key) => (node as Record<string, unknown> | undefined)?.[key],
          document,
        );
      expect(target, reference as string).toBeDefined();
    }
  });

  it('says for each message which data it takes', () => {
    expect(document.components.schemas['greeter.greet']).toMatchObject({
      properties: { name: { type: 'string', minLength: 1 } },
    });
    expect(document.components.schemas.Telling?.oneOf).toMatchObject([
      {
        title: 'greeter.greet',
        required: ['type', 'data'],
        additionalProperties: false,
        properties: {
          type: { const: 'greeter.greet' },
          data: { $ref: '#/components/schemas/greeter.greet' },
          at: { type: 'string', format: 'date-time' },
        },
      },
      { title: 'shelf.keep' },
      { title: 'garden.graft' },
    ]);
    expect(document.components.schemas.Asking?.oneOf?.[0]).toMatchObject({
      title: 'greeter.greet',
      properties: { data: { $ref: '#/components/schemas/greeter.greet' }, timeout: {} },
    });
  });

  it('says which messages a schedule can have, and what describes it', () => {
    const { ScheduledMessage, ScheduleBody, Calendar } = document.components.schemas;
    expect(ScheduledMessage?.oneOf).toMatchObject([
      {
        title: 'greeter.greet',
        required: ['type', 'data'],
        properties: { data: { $ref: '#/components/schemas/greeter.greet' } },
      },
      { title: 'shelf.keep' },
      { title: 'garden.graft' },
    ]);
    expect(ScheduleBody).toMatchObject({
      required: ['id', 'message'],
      additionalProperties: false,
      properties: {
        message: { $ref: '#/components/schemas/ScheduledMessage' },
        overlap: { enum: expect.arrayContaining(['skip', 'buffer-one']) },
      },
    });
    expect(Calendar).toMatchObject({ additionalProperties: false });
    const parameters = document.paths['/v1/schedules']?.get?.parameters ?? [];
    expect(parameters.map(({ name }) => name).sort()).toEqual([
      'cursor',
      'limit',
      'q',
      'state',
      'tag',
      'troubled',
    ]);
  });

  it('says which events a topic and a test of routes take, and what a route is', () => {
    const { Publishing, EventAsking, RouteTesting, RoutePut } = document.components
      .schemas as Record<string, { oneOf?: unknown[]; anyOf?: unknown[] }>;
    const greet = {
      title: 'greeter.greet',
      properties: { data: { $ref: '#/components/schemas/greeter.greet' } },
    };
    // Without a type the topic is it: several may fit.
    expect(Publishing?.anyOf?.[0]).toMatchObject({ ...greet, required: ['data'] });
    expect(EventAsking?.anyOf?.[0]).toMatchObject({ ...greet, required: ['data'] });
    expect(RouteTesting?.oneOf?.[0]).toMatchObject({ ...greet, required: ['type', 'data'] });
    expect(RoutePut).toMatchObject({
      required: ['order', 'match', 'to'],
      additionalProperties: false,
      properties: {
        match: { additionalProperties: false },
        to: { items: { $ref: '#/components/schemas/Receiver' } },
      },
    });
    const parameters = document.paths['/v1/routes/{id}']?.put?.parameters ?? [];
    expect(parameters.map(({ name }) => name).sort()).toEqual([
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'X-Reason',
      'id',
    ]);
    const topic = document.paths['/v1/topics/{topic}:ask']?.post?.parameters ?? [];
    expect(topic.map(({ name }) => name).sort()).toEqual(['Idempotency-Key', 'topic']);
  });

  it('says what a message is answered, when that is declared', () => {
    expect(document.components.schemas['garden.graft.reply']).toMatchObject({
      properties: { branches: { items: { $ref: '#/components/schemas/garden.graft.reply' } } },
    });
    expect(document.components.schemas).not.toHaveProperty(['greeter.greet.reply']);
  });

  it('asks for a key only when there is one', async () => {
    expect([document.security, document.components.securitySchemes]).toEqual([
      undefined,
      undefined,
    ]);
    const apiKey = 'k'.repeat(32);
    const locked = await openStage({ apiKey });
    const headers = { authorization: `Bearer ${apiKey}` };
    const { security, components, paths } = (
      await locked.inject({ url: '/openapi.json', headers })
    ).json<Document>();
    await locked.close();
    expect(security).toEqual([{ bearer: [] }]);
    expect(components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
    });
    expect(paths['/health/live']?.get?.security).toEqual([]);
    expect(paths['/v1/hooks/{source}']?.post?.security).toEqual([]);
  });
});
