import {
  Message,
  type Json,
  type MessageClass,
  type MessageInstance,
  type MessageType,
} from '@callsheet/messaging';
import { z } from 'zod';
import { RUN_REASONS, type RunReason } from './pipeline.state.js';

const key = z.string();

type Declared<Data extends object, Reply = undefined> = MessageClass<
  MessageInstance<MessageType, Data & { key: string }, Reply, Reply>,
  Data & { key: string },
  'key'
>;

/** Message classes of a pipeline. Written out, because what Message() makes has no name outside of its module. */
export interface PipelineMessages {
  StartRun: Declared<
    { reason: RunReason; from?: Json | undefined; until?: Json | undefined },
    {
      outcome: 'started' | 'running' | 'queued' | 'paused' | 'full';
      run?: string | undefined;
    }
  >;
  NextPage: Declared<object>;
  StartWaiting: Declared<object>;
  TakeRow: Declared<{ row: unknown; error: string; isUnread?: boolean | undefined }>;
  Pause: Declared<{ reason: string }, boolean>;
  Resume: Declared<object, boolean>;
  Reset: Declared<{ cursor: Json }, boolean>;
}

/** The messages of one pipeline: its actor has its name, and so they have. */
function declare(pipeline: string): PipelineMessages {
  /** Begins a run, or says why not. */
  class StartRun extends Message(
    `${pipeline}.run`,
    z.object({
      key,
      reason: z.enum(RUN_REASONS),
      from: z.json().optional(),
      until: z.json().optional(),
    }),
    {
      key: 'key',
      reply: z.object({
        outcome: z.enum(['started', 'running', 'queued', 'paused', 'full']),
        run: z.string().optional(),
      }),
    },
  ) {}

  /** One page of the run in work. */
  class NextPage extends Message(`${pipeline}.page`, z.object({ key }), { key: 'key' }) {}

  /** Stands behind a page while runs wait: begins the next of them if the page was given up, which nothing else tells. */
  class StartWaiting extends Message(`${pipeline}.next`, z.object({ key }), { key: 'key' }) {}

  /** A bad row. It becomes a dead letter at once, and is pushed when it is redriven. */
  class TakeRow extends Message(
    `${pipeline}.row`,
    z.object({
      key,
      row: z.unknown(),
      error: z.string(),
      /** It is text that could not be read: nothing to push until somebody puts a row in its place, without this. */
      isUnread: z.boolean().optional(),
    }),
    { key: 'key' },
  ) {}

  class Pause extends Message(`${pipeline}.pause`, z.object({ key, reason: z.string() }), {
    key: 'key',
    reply: z.boolean(),
  }) {}

  class Resume extends Message(`${pipeline}.resume`, z.object({ key }), {
    key: 'key',
    reply: z.boolean(),
  }) {}

  /** Ends what is in work and waits, and moves the cursor. */
  class Reset extends Message(`${pipeline}.reset`, z.object({ key, cursor: z.json() }), {
    key: 'key',
    reply: z.boolean(),
  }) {}

  return { StartRun, NextPage, StartWaiting, TakeRow, Pause, Resume, Reset };
}

const known = new Map<string, PipelineMessages>();
const own = new WeakSet<MessageClass>();

/** The messages of the pipeline of this name, the same classes each time. @throws OptionError for what is no name of an actor */
export function messagesOf(pipeline: string): PipelineMessages {
  const messages = known.get(pipeline) ?? declare(pipeline);
  known.set(pipeline, messages);
  for (const each of Object.values(messages) as unknown[]) own.add(each as MessageClass);
  return messages;
}

/** Whether a message is one of those that pipelines send to themselves: who sends one by hand can break a pipeline. */
export function isPipelineMessage(message: MessageClass): boolean {
  return own.has(message);
}
