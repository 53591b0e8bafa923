import type { Job, JobsOptions } from 'bullmq';
import {
  HISTORY_LIMIT,
  sentOf,
  type AttemptRecord,
  type DeadReason,
  type Delivery,
  type FinishedTurn,
  type MessageRecord,
  type MessageState,
  type Effects,
  type Outcome,
  type Sent,
  type Trial,
} from '../../engine.js';
import type { Carried } from '../../codec.js';
import { storageId, type Envelope } from '../../envelope.js';
import type { JsonObject } from '../../json.js';
import type { MessageType } from '../../message.js';
import type { Stop } from '../../stop.js';
import { survived } from '../survived.js';
import type { Failure } from './bullmq.store.js';

/** Suffix of the queue that holds an actor's dead letters. */
export const DEAD = '.dead';

/** Metadata of a message among its job's options, beside BullMQ's own. The payload alone is the job's data. */
type Metadata = Partial<Omit<Envelope, 'type' | 'actor' | 'data' | 'priority' | 'sentAt'>>;

/** Options of a job that are ours. */
interface OwnOptions {
  callsheet?: Metadata;
  /** Set when the message is cancelled while it is in work. */
  callsheetCancelled?: number;
}

/** What a job remembers in its progress: its failed attempts and what became of them. */
export interface JobProgress {
  attempts: AttemptRecord[];
  reason?: DeadReason;
  redrives?: number;
  /** The last trial that was noted. */
  trial?: Trial;
  /** When it was cancelled. */
  cancelled?: number;
}

/** A message as the job that BullMQ stores. */
export function toJob(envelope: Envelope): {
  id: string;
  name: string;
  data: string;
  opts: JobsOptions & { callsheet: Metadata };
  timestamp: number;
  delay: number;
  priority: number;
} {
  const { type, actor: _, data, priority, sentAt, headers, ...metadata } = envelope;
  const { dueAt, retry } = metadata;
  const jobId = storageId(envelope);
  const delay = dueAt === undefined ? 0 : dueAt - sentAt;
  return {
    id: jobId,
    name: type,
    data: JSON.stringify(data),
    opts: {
      jobId,
      priority,
      ...(delay > 0 && { delay }),
      callsheet: {
        ...metadata,
        ...(Object.keys(headers).length > 0 && { headers }),
        ...(retry && { retry }),
      },
    },
    timestamp: sentAt,
    delay,
    priority,
  };
}

/** As BullMQ names the states. */
const LISTS: Record<MessageState, string> = {
  waiting: 'waiting',
  delayed: 'delayed',
  parked: 'waiting-children',
  active: 'active',
  done: 'completed',
  cancelled: 'completed',
  dead: 'failed',
};

/** Asked for several times in a turn, and the dearest part of taking one. */
const envelopes = new WeakMap<Job, Envelope>();

/** The message of a job, those included that a plain BullMQ producer or a schedule has made. */
export function toEnvelope(job: Job): Envelope {
  let envelope = envelopes.get(job);
  if (!envelope) envelopes.set(job, (envelope = readEnvelope(job)));
  return envelope;
}

function readEnvelope(job: Job): Envelope {
  const metadata = (job.opts as OwnOptions).callsheet ?? {};
  // Not spread before the others: V8 takes forty times as long for that.
  return Object.assign({}, metadata, {
    id: metadata.id ?? job.id ?? '',
    type: job.name as MessageType,
    version: metadata.version ?? 1,
    actor: actorOf(job.queueName),
    data: (job.data ?? {}) as JsonObject,
    priority: job.opts.priority ?? 0,
    sentAt: job.timestamp,
    headers: metadata.headers ?? {},
  });
}

/** @param note stores a progress in place of the job's, under its lock */
export function toDelivery(
  job: Job,
  stop: Stop,
  note: (progress: JobProgress) => Promise<void>,
): Delivery {
  const envelope = toEnvelope(job);
  const { attempts, redrives, trial } = progressOf(job);
  const occurrence = envelope.occurrence ?? occurrenceOf(job);
  return {
    envelope,
    attempt: job.attemptsMade + 1,
    isFirst: job.attemptsStarted <= 1 && !redrives,
    history: attempts,
    crashes: job.stalledCounter,
    ...(trial && { trial }),
    noteTrial: async (noted) => {
      const progress = { ...progressOf(job), trial: noted };
      // Before: it may be stored though no answer came.
      job.progress = progress;
      await note(progress);
    },
    isCancelled: isCancelled(job),
    startedAt: job.processedOn ?? Date.now(),
    ...(occurrence !== undefined && { occurrence }),
    stop,
  };
}

/** BullMQ gives the options of an occurrence to the next one, which is made later than the mark. */
function isCancelled(job: Job): boolean {
  const { callsheetCancelled: at } = job.opts as OwnOptions;
  return at !== undefined && (!job.repeatJobKey || at >= job.timestamp);
}

/** @param state as BullMQ names it */
export function toRecord(job: Job, state: string): MessageRecord {
  const { attempts, reason, redrives = 0 } = progressOf(job);
  const { reply, sent } = answerOf(job);
  return {
    storageId: job.id ?? '',
    envelope: toEnvelope(job),
    state: stateOf(job, state),
    history: attempts,
    redrives,
    ...(job.processedOn && { startedAt: job.processedOn }),
    ...(job.finishedOn && { finishedAt: job.finishedOn }),
    ...(reason && { reason }),
    ...(reply && { reply }),
    ...(sent && { sent }),
  };
}

/** A message found in the list of a state; undefined when its job is in another one by now. */
export function toListed(job: Job, state: MessageState): MessageRecord | undefined {
  const record = toRecord(job, LISTS[state]);
  const hasMoved = record.state !== state || (state === 'active' && job.finishedOn !== undefined);
  return hasMoved ? undefined : record;
}

/** What a handled message is marked with that was cancelled instead. */
export function toCancelled(job: { progress: unknown }): JobProgress {
  return { ...progressOf(job), cancelled: Date.now() };
}

/** Whether a job that ended was cancelled. */
export function wasCancelled(job: { progress: unknown }): boolean {
  return progressOf(job).cancelled !== undefined;
}

export function toFinishedTurn(job: Job): FinishedTurn {
  const { dueAt, sentAt } = toEnvelope(job);
  const finishedAt = job.finishedOn ?? 0;
  return {
    readyAt: dueAt ?? occurrenceOf(job) ?? sentAt,
    startedAt: job.processedOn ?? finishedAt,
    finishedAt,
  };
}

/** What a failed attempt leaves on its job. */
export function toFailure(
  job: Job,
  outcome: Extract<Outcome, { attempt: AttemptRecord }>,
): Failure {
  const { attempts, redrives, trial: noted } = progressOf(job);
  const trial = survived(noted, job.stalledCounter);
  const { error } = outcome.attempt;
  return {
    reason: error.message,
    stacktrace: [...(job.stacktrace ?? []), error.stack ?? `${error.name}: ${error.message}`].slice(
      -HISTORY_LIMIT,
    ),
    progress: {
      attempts: [...attempts, outcome.attempt].slice(-HISTORY_LIMIT),
      ...(redrives && { redrives }),
      ...(trial && { trial }),
      ...(outcome.kind === 'dead' && { reason: outcome.reason }),
    },
  };
}

/** What a hand-back leaves on its job; undefined when that is what is there. */
export function toReleased(job: Job): JobProgress | undefined {
  const progress = progressOf(job);
  const trial = survived(progress.trial, job.stalledCounter);
  return trial === progress.trial ? undefined : { ...progress, ...(trial && { trial }) };
}

/** What the failed attempts of a dead letter left on its job. */
export function toBuried({ history, reason, redrives }: MessageRecord): Failure {
  return {
    reason: history.at(-1)?.error.message ?? '',
    stacktrace: history.map(({ error }) => error.stack ?? `${error.name}: ${error.message}`),
    progress: { attempts: history, ...(redrives && { redrives }), ...(reason && { reason }) },
  };
}

/** How often a message was redriven. */
export function redrivesOf(job: Job): number {
  return progressOf(job).redrives ?? 0;
}

/** The progress of a dead letter after it is redriven. */
export function redriven(progress: unknown): JobProgress {
  const { attempts, redrives = 0 } = progressOf({ progress });
  return { attempts, redrives: redrives + 1 };
}

/** The actor whose messages, or dead letters, a queue holds. */
export function actorOf(queue: string): string {
  return queue.endsWith(DEAD) ? queue.slice(0, -DEAD.length) : queue;
}

/** Nominal time of a scheduled job: the last part of the id that BullMQ gives it. */
function occurrenceOf(job: Job): number | undefined {
  const nominal = job.repeatJobKey ? Number(job.id?.split(':').at(-1)) : NaN;
  return Number.isFinite(nominal) ? nominal : undefined;
}

/** What a job that ended well keeps as its return value: the reply, and what its turn sent. */
export function toAnswer({
  reply,
  sends,
}: Pick<Effects, 'reply' | 'sends'>): (Partial<Carried> & { sent?: Sent }) | undefined {
  const sent = sentOf(sends);
  return reply || sent ? { ...reply, ...(sent && { sent }) } : undefined;
}

/** A plain BullMQ worker may have answered anything. */
function answerOf({ returnvalue }: Job): { reply?: Carried; sent?: Sent } {
  const value = returnvalue as (Partial<Carried> & { sent?: Partial<Sent> }) | null | undefined;
  if (typeof value !== 'object' || value === null) return {};
  const { data, types, sent } = value;
  const isOurs = typeof sent?.count === 'number' && Array.isArray(sent.first);
  return {
    ...(data !== undefined && { reply: { data, ...(types !== undefined && { types }) } }),
    ...(isOurs && { sent: sent as Sent }),
  };
}

function progressOf(job: { progress: unknown }): JobProgress {
  const progress = job.progress as Partial<JobProgress> | number | null;
  if (typeof progress !== 'object' || !Array.isArray(progress?.attempts)) return { attempts: [] };
  return progress as JobProgress;
}

function stateOf(job: Job, state: string): MessageState {
  if (job.queueName.endsWith(DEAD)) return 'dead';
  switch (state) {
    case 'active':
    case 'delayed':
      return state;
    case 'waiting-children':
      return 'parked';
    case 'completed':
      return wasCancelled(job) ? 'cancelled' : 'done';
    default:
      return 'waiting';
  }
}
