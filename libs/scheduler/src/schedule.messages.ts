import { Message } from '@callsheet/messaging';
import { z } from 'zod';
import { overlaps } from './policies.js';
import { scheduleDefinition } from './schedule.state.js';

const key = z.string();
/** Only if it has this revision; 0: only if there is none. */
const ifRevision = z.number().optional();

/** Gives a schedule its definition, or another one. */
export class PutSchedule extends Message(
  'schedules.put',
  z.object({
    key,
    definition: scheduleDefinition,
    /** Refused when there is one already. */
    isNew: z.boolean().optional(),
    /** It is declared so, and was found to be otherwise: what was wrong. Then it counts as if it had never been otherwise. */
    problem: z.string().optional(),
    ifRevision,
  }),
  {
    key: 'key',
    reply: z.enum(['created', 'changed', 'unchanged', 'exists', 'declared', 'conflict']),
  },
) {}

/** Removes a schedule and its history. */
export class RemoveSchedule extends Message(
  'schedules.remove',
  z.object({
    key,
    /** The actor in whose code it must have been declared; absent: it must have been made over the API. */
    owner: z.string().optional(),
    ifRevision,
  }),
  { key: 'key', reply: z.enum(['removed', 'unknown', 'declared', 'conflict']) },
) {}

/** Pauses a schedule, or changes reason and end of its pause. */
export class PauseSchedule extends Message(
  'schedules.pause',
  z.object({ key, reason: z.string(), until: z.number().optional() }),
  { key: 'key', reply: z.enum(['paused', 'unknown']) },
) {}

/** Ends the pause of a schedule. */
export class ResumeSchedule extends Message('schedules.resume', z.object({ key }), {
  key: 'key',
  reply: z.enum(['resumed', 'running', 'unknown']),
}) {}

/** Starts a run now. */
export class TriggerSchedule extends Message(
  'schedules.trigger',
  z.object({ key, overlap: overlaps.optional() }),
  {
    key: 'key',
    reply: z.object({
      outcome: z.enum(['started', 'buffered', 'skipped', 'unknown']),
      run: z.string().optional(),
    }),
  },
) {}

/** Starts runs for the occurrences of a range of time. */
export class BackfillSchedule extends Message(
  'schedules.backfill',
  z.object({
    key,
    id: z.string(),
    from: z.number(),
    to: z.number(),
    isParallel: z.boolean().optional(),
  }),
  { key: 'key', reply: z.enum(['begun', 'known', 'full', 'unknown']) },
) {}

/** The timer of a schedule. */
export class ScheduleDue extends Message(
  'schedules.due',
  z.object({
    key,
    /** When it was to ring. */
    at: z.number().optional(),
  }),
  { key: 'key' },
) {}

/** Looks whether the timer of a schedule is as it should be, and sets it right. */
export class CheckSchedule extends Message('schedules.check', z.object({ key }), {
  key: 'key',
}) {}

/** A run has ended. */
export class RunEnded extends Message(
  'schedules.ended',
  z.object({
    key,
    id: z.string(),
    outcome: z.enum(['done', 'dead', 'cancelled']),
    occurrence: z.number().optional(),
    startedAt: z.number(),
    finishedAt: z.number(),
    attempts: z.number(),
    error: z.object({ name: z.string(), message: z.string() }).optional(),
    result: z.json().optional(),
  }),
  { key: 'key' },
) {}
