import { type Happening } from '@callsheet/messaging';
import { z } from 'zod';
import { actorView } from '../actors/actor.view.js';
import type { SentEvent } from '../event.stream.js';
import { schemas } from '../schema.registry.js';
import { ALL_KINDS, EVENT_KINDS, type EventKind } from './event.kinds.js';

/** The query of who follows. */
export const eventQuery = z.strictObject({
  kinds: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(ALL_KINDS, `must be some of ${ALL_KINDS.join(', ')}`)).max(20))
    .optional(),
  actor: z.string().optional(),
});
export type EventQuery = z.output<typeof eventQuery>;

const at = z.iso.datetime();

const hello = z.object({
  at: at.describe('what time it is here'),
  store: z.string().describe('name and version of the store'),
  kinds: z.array(z.enum(ALL_KINDS)).describe('what follows'),
});

const activity = z.object({
  at,
  seconds: z.number().describe('how long that took'),
  actors: z.array(
    z.object({
      actor: z.string(),
      done: z.int().describe('messages handled'),
      failed: z.int().describe('attempts that failed, the last ones of dead letters included'),
      dead: z.int().describe('messages given up'),
      sent: z.int().describe('messages sent to it'),
      latency: actorView.shape.latency,
      counts: actorView.shape.counts.optional().describe('where they have changed'),
    }),
  ),
});

/** What is told of by itself. */
const HAPPENINGS = {
  'dead-letter': z.object({
    at,
    ...{ id: z.string(), actor: z.string(), type: z.string(), key: z.string().optional() },
    reason: z.string(),
    attempts: z.int(),
    error: z.string().describe('its name'),
    fingerprint: z.string().describe('the same for letters that died of the same trouble'),
  }),
  key: z.object({
    at,
    what: z.enum(['quarantined', 'released']),
    ...{ actor: z.string(), key: z.string() },
    id: z.string().optional().describe('of the message that stopped it'),
    type: z.string().optional(),
    error: z.string().optional().describe('its name'),
  }),
  actor: z.object({
    at,
    what: z
      .enum(['paused', 'resumed', 'tripped', 'recovered'])
      .describe('paused and resumed by somebody; tripped, in one process, by an error'),
    actor: z.string(),
    reason: z.string().optional().describe('why it is paused'),
    ms: z.int().optional().describe('for how long it has tripped'),
  }),
  schedule: z.object({
    at,
    what: z.enum([
      ...(['created', 'changed', 'removed', 'paused', 'resumed'] as const),
      ...(['missed', 'late', 'failing', 'dead', 'healed'] as const),
    ]),
    schedule: z.string(),
    nominal: at.optional().describe('of the first occurrence that is meant'),
    count: z.int().optional().describe('how many occurrences are meant; absent: one'),
  }),
  pipeline: z.object({
    at,
    what: z
      .enum(['done', 'failed', 'stopped', 'paused', 'resumed', 'reset'])
      .describe('done, failed, stopped: a run has ended'),
    pipeline: z.string(),
    run: z.string().optional(),
    reason: z.string().optional().describe('why the run began'),
    ...{ rows: z.int().optional(), bad: z.int().optional(), errors: z.int().optional() },
  }),
  audit: z.object({
    at: at.describe('when it was kept'),
    ...{ who: z.string(), name: z.string(), call: z.string(), path: z.string() },
    status: z.int().optional(),
  }),
} as const satisfies Record<Exclude<EventKind, 'activity'>, z.ZodType>;

const leftOut = z.object({
  at,
  kind: z.enum(ALL_KINDS),
  count: z.int().describe('so many of a kind in one process, within a second, are not told'),
});

type HappeningKind = keyof typeof HAPPENINGS;

const told = <T extends string, S extends z.ZodType>(event: T, data: S) =>
  z.object({ event: z.literal(event), data });

/** The stream of what happens: of each event its name, and its data as JSON. */
export const events = z
  .discriminatedUnion('event', [
    told('hello', hello),
    told('activity', activity),
    told('dead-letter', HAPPENINGS['dead-letter']),
    told('key', HAPPENINGS.key),
    told('actor', HAPPENINGS.actor),
    told('schedule', HAPPENINGS.schedule),
    told('pipeline', HAPPENINGS.pipeline),
    told('audit', HAPPENINGS.audit),
    told('left-out', leftOut),
  ])
  .describe('one after the other, each as `event:` and `data:`, without `id:`')
  .register(schemas, { id: 'Events' });

/** What a client is told. */
export type LiveEvent = z.infer<typeof events>;
export type ActivityEvent = Extract<LiveEvent, { event: 'activity' }>['data'];

/** A happening as the API tells it; undefined for what it knows nothing of, from another release say. */
export function toEvent({ kind, at: when, left, ...details }: Happening): LiveEvent | undefined {
  if (!Object.hasOwn(EVENT_KINDS, kind) || kind === 'activity') return undefined;
  const time = new Date(when).toISOString();
  if (typeof left === 'number') {
    return { event: 'left-out', data: { at: time, kind: kind as HappeningKind, count: left } };
  }
  const parsed = HAPPENINGS[kind as HappeningKind].safeParse({ ...details, at: time });
  return parsed.success ? ({ event: kind, data: parsed.data } as LiveEvent) : undefined;
}

/** An event as it goes on the wire: nothing is kept, so nothing goes on after an id. */
export function sentEvent({ event: name, data }: LiveEvent): SentEvent {
  return { name, data };
}
