import type { Duration } from '../duration.js';
import type { MessageRecord } from '../engine.js';
import type { Envelope } from '../envelope.js';
import {
  AskFailedError,
  AskTimeoutError,
  CancelledError,
  OptionError,
} from '../messaging.errors.js';
import type { ReplyInbox } from '../reply.inbox.js';
import type { PublishOptions, SendOptions } from '../sealing.js';

/** Options of {@link Actors.gather}. */
export interface GatherOptions extends SendOptions, Pick<PublishOptions, 'topic'> {
  /**
   * How many replies are enough: 'first' one, 'all' of those who receive the event, a 'quorum' (more than half of them), or a
   * number. Default 'all'.
   */
  need?: 'first' | 'all' | 'quorum' | number;
  /** How long to wait for them. Default '30s'. */
  timeout?: Duration;
  /** Stops waiting when it aborts; the copies go on. */
  signal?: AbortSignal;
}

/** What was answered to an event. */
export interface Gathering<Reply> {
  /** Of the event. */
  id: string;
  /** Whether as many as were needed have replied; never when nobody receives the event. */
  isComplete: boolean;
  /** In the order of the actors' names. */
  replies: { actor: string; reply: Reply }[];
  /** Those whose copies became dead letters or were cancelled. */
  failures: { actor: string; error: AskFailedError | CancelledError }[];
  /** Those who have not answered yet. */
  missing: string[];
}

interface Gathered {
  isComplete: boolean;
  ended: { actor: string; record: MessageRecord }[];
  failed: { actor: string; error: AskFailedError | CancelledError }[];
  missing: string[];
}

/** @throws OptionError */
export function toNeeded(need: GatherOptions['need'], receivers: number): number {
  if (need === 'first') return 1;
  if (need === 'all') return Math.max(1, receivers);
  if (need === 'quorum') return Math.floor(receivers / 2) + 1;
  if (Number.isSafeInteger(need) && (need as number) >= 1) return need as number;
  throw new OptionError('need', "must be 'first', 'all', 'quorum' or a whole number from 1");
}

/** Sends all copies at once, and waits for their ends. */
export async function gather(
  inbox: ReplyInbox,
  copies: readonly Envelope[],
  options: {
    needed: number;
    timeout: number;
    signal: AbortSignal | undefined;
    send: (replyTo: string) => Promise<void>;
  },
): Promise<Gathered> {
  const { needed, timeout, signal, send } = options;
  const enough = new AbortController();
  const stop = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  const [ended, failed] = [new Map<string, MessageRecord>(), new Map<string, Error>()];
  let sent: Promise<void> | undefined;
  await Promise.all(
    copies.map(async ({ id, actor }) => {
      const wait = inbox.ended({ id, actor, timeout, signal: stop }, (to) => (sent ??= send(to)));
      try {
        ended.set(actor, await wait);
        if (ended.size >= needed) enough.abort();
      } catch (error) {
        if (error instanceof AskFailedError || error instanceof CancelledError) {
          failed.set(actor, error);
        } else if (!(error instanceof AskTimeoutError) && !enough.signal.aborted) {
          throw error;
        }
      }
    }),
  ).finally(() => enough.abort());
  return {
    isComplete: ended.size >= needed,
    ended: copies.flatMap(({ actor }) => {
      const record = ended.get(actor);
      return record ? [{ actor, record }] : [];
    }),
    failed: [...failed].map(([actor, error]) => ({ actor, error: error as AskFailedError })),
    missing: copies
      .map(({ actor }) => actor)
      .filter((name) => !ended.has(name) && !failed.has(name)),
  };
}
