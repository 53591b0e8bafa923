import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type {
  Edited,
  FinishedTurn,
  MessageListing,
  MessagePage,
  MessageRecord,
  SearchResult,
  TurnFunction,
} from '../../libs/messaging/src/engine.js';
import type { Envelope } from '../../libs/messaging/src/envelope.js';
import {
  committing,
  consuming,
  employing,
  storing,
  without,
  Meddling,
  type Mutant,
} from './mutant.js';

class LosesHistory extends MemoryEngine {
  override async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    const found = await super.find(id, actors);
    return found && { ...found, history: [] };
  }

  override async deadLetters(
    ...args: Parameters<MemoryEngine['deadLetters']>
  ): Promise<MessageRecord[]> {
    return (await super.deadLetters(...args)).map((record) => ({ ...record, history: [] }));
  }
}

class FindsTheLivingOnly extends MemoryEngine {
  override async search(...args: Parameters<MemoryEngine['search']>): Promise<SearchResult> {
    const { items, ...rest } = await super.search(...args);
    return { items: items.filter(({ state }) => state !== 'dead'), ...rest };
  }
}

class FindsWhatWasEdited extends MemoryEngine {
  override async redrive(id: string, actors: readonly string[], edited?: Edited): Promise<boolean> {
    const terms = (await this.find(id, actors))?.envelope.terms;
    return super.redrive(id, actors, edited && { ...edited, ...(terms && { terms }) });
  }
}

class ForgetsWhatIsSent extends MemoryEngine {
  override async find(id: string, actors: readonly string[]): Promise<MessageRecord | undefined> {
    const { sent: _, ...record } = (await super.find(id, actors)) ?? {};
    return 'envelope' in record ? (record as MessageRecord) : undefined;
  }
}

class RedrivesAnything extends MemoryEngine {
  override async redrive(id: string, actors: readonly string[]): Promise<boolean> {
    await super.redrive(id, actors);
    return true;
  }
}

class GivesTwice extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      await turn(delivery);
      return turn(delivery);
    };
  }
}

class CountsNoAttempts extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return (delivery) => turn({ ...delivery, attempt: Math.min(delivery.attempt, 2) });
  }
}

class StoresBatchesInParts extends MemoryEngine {
  override async send(envelopes: readonly Envelope[]): Promise<void> {
    for (const envelope of envelopes) await super.send([envelope]);
  }
}

class ListsOldestFirst extends MemoryEngine {
  override async finished(actor: string): Promise<FinishedTurn[]> {
    return (await super.finished(actor, Infinity)).reverse().slice(0, 2);
  }
}

/** A page begins after as many as were listed, wherever these are now. */
class ListsByNumber extends MemoryEngine {
  override async list(
    actor: string,
    { state, after, limit }: MessagePage,
  ): Promise<MessageListing> {
    const { items } = await super.list(actor, { state, limit: Infinity });
    const from = after?.rank ?? 0;
    const page = items.slice(from, from + limit);
    const next = { rank: from + limit, order: 0, storageId: '' };
    return { items: page, ...(from + limit < items.length && { next }) };
  }
}

class ListsCancelledAsDone extends MemoryEngine {
  override async list(actor: string, page: MessagePage): Promise<MessageListing> {
    const { items } = await super.list(actor, { ...page, state: 'cancelled' });
    const listed = await super.list(actor, page);
    return page.state === 'done' ? { ...listed, items: [...listed.items, ...items] } : listed;
  }
}

/** As if a place were a moment, and nothing else. */
class ListsMomentsOnce extends MemoryEngine {
  override async list(actor: string, { after, ...page }: MessagePage): Promise<MessageListing> {
    const behind = after && { ...after, storageId: '\uffff' };
    return super.list(actor, { ...page, ...(behind && { after: behind }) });
  }
}

class NeverCloses extends MemoryEngine {
  override async ping(): Promise<void> {}
}
class LooksEverywhere extends MemoryEngine {
  private readonly actors = new Set<string>();

  override send(envelopes: readonly Envelope[]): Promise<void> {
    for (const { actor } of envelopes) this.actors.add(actor);
    return super.send(envelopes);
  }

  override find(id: string): Promise<MessageRecord | undefined> {
    return super.find(id, [...this.actors]);
  }
}

/** Engines that break what holds for every message. */
export const messageMutants: readonly Mutant[] = [
  [
    'forgets priority',
    storing((envelopes) => envelopes.map((envelope) => ({ ...envelope, priority: 100 }))),
    'higher priorities are served first, equal ones first in, first out',
  ],
  [
    'serves equal priorities last in, first out',
    storing((envelopes) => [...envelopes].reverse()),
    'a batch is stored whole, in its order',
  ],
  [
    'drops the last message of a batch',
    storing((envelopes) => envelopes.slice(0, Math.max(1, envelopes.length - 1))),
    'a batch is stored whole, in its order',
  ],
  ['stores batches in parts', StoresBatchesInParts, 'a batch with one refused message stores none'],
  [
    'reserves no turns',
    employing(({ reserved: _, ...options }) => options),
    'turns that are reserved for urgent messages are taken by no others',
  ],
  [
    'lets what is old have reserved turns',
    employing(({ reserved = 0, ...options }) => ({ ...options, reserved: reserved - 1 })),
    'reserved turns of several consumers are taken by no others, however old, for whatever urgent ones come',
  ],
  ['drops headers', without('headers'), 'a message arrives as it was sent'],
  ['forgets deadlines', without('deadline'), 'a message arrives as it was sent'],
  [
    'gives messages out before they are due',
    storing((envelopes) =>
      envelopes.map(({ dueAt, ...rest }) => (dueAt ? { ...rest, dueAt: dueAt - 200 } : rest)),
    ),
    'a message is not given out before its due time, then soon',
  ],
  [
    'does not remember ids',
    without('fingerprint'),
    'of many concurrent sends of one id one is stored, and one body wins',
  ],
  ['gives each message twice', GivesTwice, 'a message that is done is not given out again'],
  [
    'takes more than asked',
    employing((options) => ({ ...options, concurrency: options.concurrency + 1 })),
    'no more turns run at the same time than asked for',
  ],
  [
    'retries at once',
    committing((outcome) => (outcome.kind === 'retry' ? { ...outcome, delay: 0 } : outcome)),
    'a retry comes after its delay, with the attempt counted and the failure remembered',
  ],
  [
    'stops counting attempts',
    CountsNoAttempts,
    'a retry comes after its delay, with the attempt counted and the failure remembered',
  ],
  [
    'loses history',
    LosesHistory,
    'a message given up is a dead letter with its whole history, and nowhere else',
  ],
  [
    'confuses why a message was given up',
    committing((outcome) =>
      outcome.kind === 'dead' ? { ...outcome, reason: 'exhausted' } : outcome,
    ),
    'a message given up is a dead letter with its whole history, and nowhere else',
  ],
  ['says of everything that it redrove it', RedrivesAnything, 'only dead letters can be redriven'],
  [
    'uses an attempt for a hand-back',
    committing((outcome) =>
      outcome.kind === 'release'
        ? {
            kind: 'retry',
            delay: 0,
            attempt: { attempt: 1, startedAt: 0, finishedAt: 0, error: { name: '', message: '' } },
          }
        : outcome,
    ),
    'after the grace the signal aborts and the message goes back, with no attempt used',
  ],
  [
    'stops without waiting',
    consuming((consumer) => ({ stop: async (grace) => void consumer.stop(grace) })),
    'after the grace the signal aborts and the message goes back, with no attempt used',
  ],
  [
    'gives running turns no grace',
    consuming((consumer) => ({ stop: () => consumer.stop(0) })),
    'a stopping consumer lets running turns end and takes no more',
  ],
  [
    'lists the oldest turns first',
    ListsOldestFirst,
    'finished turns come newest first with the times that latency is made of',
  ],
  [
    'finds no dead letters by their terms',
    FindsTheLivingOnly,
    'messages are found by their terms in whatever state, sent last first, page by page',
  ],
  [
    'finds nothing that a turn has sent',
    committing((outcome) =>
      outcome.kind === 'done' && outcome.effects
        ? {
            ...outcome,
            effects: {
              ...outcome.effects,
              sends: outcome.effects.sends.map(({ terms: _, ...rest }) => rest),
            },
          }
        : outcome,
    ),
    'what a turn sends is found by its terms, and what a refused send had is not',
  ],
  [
    'finds an edited message by what it had before',
    FindsWhatWasEdited,
    'what is replaced, edited or discarded is found by what it has now',
  ],
  [
    'forgets what a turn has sent',
    ForgetsWhatIsSent,
    'a message remembers what its turn sent, the first twenty, and how many',
  ],
  [
    'lists by number',
    ListsByNumber,
    'what stays where it is is listed once, whatever comes and goes between two pages',
  ],
  [
    'lists what was cancelled as done',
    ListsCancelledAsDone,
    'what is in work and what ended is listed by its state, the newest end first',
  ],
  [
    'lists one message of a moment',
    ListsMomentsOnce,
    'messages of one moment are listed once each, page by page',
  ],
  [
    'finds messages of other actors',
    LooksEverywhere,
    'a message is found in each of its states, an unknown one is not',
  ],
  [
    'loses nominal times',
    without('occurrence'),
    'a message has the nominal time that its sender gave it, and who is to be told of its end',
  ],
  [
    'answers when it is closed',
    NeverCloses,
    'an open engine answers, a closed one does not, and closing twice is harmless',
  ],
];
