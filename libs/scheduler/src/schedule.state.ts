import type { SealedMessage } from '@callsheet/messaging';
import { z } from 'zod';
import { checkedPolicies } from './policies.js';
import type { CheckedRule } from './rule/index.js';

// Times are epoch milliseconds. Nominal times are those that the rule says, not those of the wall.

/** Why a run was started. */
export const RUN_REASONS = ['scheduled', 'catch-up', 'manual', 'backfill'] as const;
export type RunReason = (typeof RUN_REASONS)[number];

/** What a schedule is: when, what, and how. */
export const scheduleDefinition = z.object({
  rule: z.custom<CheckedRule>((value) => typeof value === 'object' && value !== null),
  /** The message that each run is. */
  message: z.custom<SealedMessage>((value) => typeof value === 'object' && value !== null),
  /** Whether the message is an occurrence for a method with a decorator, which is told of its run. */
  isOccurrence: z.boolean().optional(),
  policies: checkedPolicies,
  priority: z.number().optional(),
  tags: z.array(z.string()).default([]),
  description: z.string().optional(),
  /** The actor in whose code it is declared; absent: it was made over the API. */
  owner: z.string().optional(),
});
export type Definition = z.infer<typeof scheduleDefinition>;

/** A run in work. */
const run = z.object({
  id: z.string(),
  /** In whose queue its message is. */
  actor: z.string(),
  nominal: z.number(),
  reason: z.enum(RUN_REASONS),
  startedAt: z.number(),
  /** When it is cancelled for taking too long. */
  deadline: z.number().optional(),
  /** It was told to stop: by whom. */
  stopped: z.enum(['cancelled', 'terminated', 'timed-out']).optional(),
});
export type Run = z.infer<typeof run>;

/** A run that was sent before its time. About its occurrence nothing is decided yet. */
const sentAhead = z.object({
  id: z.string(),
  /** In whose queue its message is. */
  actor: z.string(),
  nominal: z.number(),
  /** When it may begin. */
  at: z.number(),
});
export type SentAhead = z.infer<typeof sentAhead>;

/** An occurrence that waits until the runs in work have ended. */
const buffered = z.object({
  nominal: z.number(),
  reason: z.enum(RUN_REASONS),
  isLate: z.boolean().optional(),
});
export type Buffered = z.infer<typeof buffered>;

const lastRun = z.object({
  nominal: z.number(),
  outcome: z.string(),
  finishedAt: z.number(),
  error: z.object({ name: z.string(), message: z.string() }).optional(),
  result: z.json().optional(),
});
export type LastRun = z.infer<typeof lastRun>;

/** The state of a schedule. Without definition there is none of this name. */
export const scheduleState = z.object({
  definition: scheduleDefinition.optional(),
  /** Those that take its place for occurrences after `from`, oldest first. */
  successors: z.array(z.object({ definition: scheduleDefinition, from: z.number() })).default([]),
  createdAt: z.number().default(0),
  changedAt: z.number().default(0),
  /** Of what can be edited, see {@link revisionOf}. */
  revision: z.number().optional(),
  /** What becomes of every occurrence up to then is decided. */
  watermark: z.number().default(0),
  /** How many are decided, under this definition. */
  decided: z.number().default(0),
  /** When the timer of the schedule rings. */
  timer: z.number().optional(),
  /** Nominal time of the occurrence decided last. */
  previous: z.number().optional(),
  running: z.array(run).default([]),
  ahead: sentAhead.optional(),
  /** Nominal times of the last occurrences whose runs were taken back: they have other ids if they run, and are not sent ahead again. */
  takenBack: z.array(z.number()).default([]),
  buffer: z.array(buffered).default([]),
  pause: z
    .object({
      at: z.number(),
      /** What is due before is decided, or can be. */
      since: z.number(),
      reason: z.string(),
      until: z.number().optional(),
      isOurs: z.boolean().optional(),
    })
    .optional(),
  /** Spans in which it was paused, and undecided occurrences may lie. */
  pauses: z.array(z.object({ since: z.number(), until: z.number() })).default([]),
  backfills: z
    .array(
      z.object({
        id: z.string(),
        /** Nominal times up to here are decided. */
        at: z.number(),
        to: z.number(),
        isParallel: z.boolean().optional(),
      }),
    )
    .default([]),
  /** Ids of the last backfills, so that one that is asked for again changes nothing. */
  backfilled: z.array(z.string()).default([]),
  /** Runs that were found to have ended, whose notices are still to come. */
  missedEnds: z.array(z.string()).default([]),
  /** Runs that failed in a row. */
  failures: z.number().default(0),
  last: lastRun.optional(),
  /** What keeps the next occurrence from being computed. */
  broken: z.string().optional(),
  /** Its state was found to be no such state, or gone; there is no definition until somebody puts it again. */
  damage: z
    .object({
      problem: z.string(),
      /** What was there, as JSON, cut. */
      found: z.string(),
      /** It was told. */
      isTold: z.boolean().optional(),
    })
    .optional(),
});
export type ScheduleState = z.infer<typeof scheduleState>;

/** How much of a damaged state is kept for a person to look at, characters. */
const KEPT = 10_000;

/** As it is stored. What somebody has written over it is no reason to stand still: see `damage`. */
export const storedSchedule = z.unknown().transform((stored): ScheduleState => {
  const { data, error } = scheduleState.safeParse(stored);
  if (data) return data;
  const known = scheduleDefinition.safeParse((stored as Partial<ScheduleState>)?.definition);
  const [issue] = error.issues;
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  return {
    ...scheduleState.parse({}),
    ...(known.success && { definition: known.data }),
    damage: {
      problem: `its state could not be read: ${where}${issue?.message ?? ''}`.slice(0, 500),
      found: (JSON.stringify(stored) ?? '').slice(0, KEPT),
    },
  };
});

/** What a schedule is from now on: the last that was put. */
export function latestDefinition({
  definition,
  successors,
}: ScheduleState): Definition | undefined {
  return successors.at(-1)?.definition ?? definition;
}

/**
 * A number that no other definition of this schedule has had, not even before it was removed and made anew: it begins with the time
 * at which it was made. 0 for none.
 */
export function revisionOf(state: ScheduleState): number {
  if (!latestDefinition(state)) return 0;
  // A release that knew no revisions leaves none.
  return state.revision ?? Math.max(1, state.changedAt);
}
