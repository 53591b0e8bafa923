import { setMaxListeners } from 'node:events';
import type { Duration } from '../duration.js';
import type { MessageRecord } from '../engine.js';
import type { Envelope } from '../envelope.js';
import {
  AskFailedError,
  AskTimeoutError,
  CancelledError,
  InvalidReplyError,
  OptionError,
} from '../messaging.errors.js';
import type { ReplyInbox } from '../reply.inbox.js';
import type { PublishOptions, SendOptions } from '../sealing.js';

type SealedReply = NonNullable<MessageRecord['reply']>;

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
  /** Whether as many as were needed have replied; never when nobody has. */
  isComplete: boolean;
  /** In the order of the actors' names. */
  replies: { actor: string; reply: Reply }[];
  /** Those whose copies became dead letters or were cancelled, or whose reply is none. */
  failures: { actor: string; error: AskFailedError | CancelledError | InvalidReplyError }[];
  /** Those who have handled it and do not reply: subscribers by a pattern. They are not counted. */
  silent: string[];
  /** Those who have not answered yet. */
  missing: string[];
}

export type Need = NonNullable<GatherOptions['need']>;

/** @throws OptionError */
export function checkedNeed(need: GatherOptions['need'] = 'all'): Need {
  if (need === 'first' || need === 'all' || need === 'quorum') return need;
  if (Number.isSafeInteger(need) && need >= 1) return need;
  throw new OptionError('need', "must be 'first', 'all', 'quorum' or a whole number from 1");
}

/** @param receivers how many may reply */
function isEnough(need: Need, replies: number, receivers: number): boolean {
  if (replies === 0) return false;
  if (need === 'first') return true;
  if (need === 'all') return replies === receivers;
  return need === 'quorum' ? replies > receivers / 2 : replies >= need;
}

/** Sends all copies at once, and waits for their ends. */
export async function gather<Reply>(
  inbox: ReplyInbox,
  copies: readonly Envelope[],
  options: {
    id: string;
    need: Need;
    timeout: number;
    signal: AbortSignal | undefined;
    send: (replyTo: string) => Promise<void>;
    /** Throws InvalidReplyError. */
    open: (reply: SealedReply) => Reply;
  },
): Promise<Gathering<Reply>> {
  const { id: event, need, timeout, signal, send, open } = options;
  const enough = new AbortController();
  const stop = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  // One for each copy.
  setMaxListeners(0, stop);
  const gathering: Gathering<Reply> = {
    ...{ id: event, isComplete: false, replies: [], failures: [], silent: [], missing: [] },
  };
  const { replies, failures, silent, missing } = gathering;
  const isComplete = (): boolean => isEnough(need, replies.length, copies.length - silent.length);
  let sent: Promise<void> | undefined;
  const one = async ({ id, actor }: Envelope): Promise<void> => {
    try {
      const awaited = { id, actor, timeout, signal: stop };
      const { reply } = await inbox.ended(awaited, (to) => (sent ??= send(to)));
      if (reply) replies.push({ actor, reply: open(reply) });
      else silent.push(actor);
    } catch (error) {
      const isOver = error instanceof AskTimeoutError || enough.signal.aborted;
      if (isFailure(error)) failures.push({ actor, error });
      else if (isOver) missing.push(actor);
      else throw error;
    }
    if (isComplete()) enough.abort();
  };
  try {
    await Promise.all(copies.map(one));
  } finally {
    enough.abort();
  }
  replies.sort((a, b) => (a.actor < b.actor ? -1 : 1));
  failures.sort((a, b) => (a.actor < b.actor ? -1 : 1));
  silent.sort();
  missing.sort();
  return { ...gathering, isComplete: isComplete() };
}

function isFailure(error: unknown): error is AskFailedError | CancelledError | InvalidReplyError {
  return [AskFailedError, CancelledError, InvalidReplyError].some((each) => error instanceof each);
}
