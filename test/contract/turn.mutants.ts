import { MemoryEngine } from '../../libs/messaging/src/drivers/memory/memory.engine.js';
import type { TurnFunction } from '../../libs/messaging/src/engine.js';
import { generateId, type Envelope } from '../../libs/messaging/src/envelope.js';
import { MessageActiveError } from '../../libs/messaging/src/messaging.errors.js';
import { committing, consuming, employing, storing, Meddling, type Mutant } from './mutant.js';

/** How long before or after a turn's end what it sends is stored, ms. */
const APART = 30;

class StoresSendsBefore extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind !== 'done' || !outcome.effects) return outcome;
      const { sends, ...effects } = outcome.effects;
      await this.send(sends);
      await new Promise((resolve) => setTimeout(resolve, APART));
      return { ...outcome, effects: { ...effects, sends: [] } };
    };
  }
}

class StoresSendsAfter extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind !== 'done' || !outcome.effects) return outcome;
      const { sends, ...effects } = outcome.effects;
      setTimeout(() => void this.send(sends).catch(() => undefined), APART);
      return { ...outcome, effects: { ...effects, sends: [] } };
    };
  }
}

class StoresWhatIsNotRefused extends Meddling {
  protected meddle(turn: TurnFunction): TurnFunction {
    return async (delivery) => {
      const outcome = await turn(delivery);
      if (outcome.kind !== 'done' || !outcome.effects) return outcome;
      for (const each of outcome.effects.sends) await this.send([each]).catch(() => undefined);
      return { ...outcome, effects: { ...outcome.effects, sends: [] } };
    };
  }
}

/** What replaces another stands beside it. */
const doubling = storing((envelopes) =>
  envelopes.map(({ replace, ...rest }) =>
    replace ? { ...rest, id: generateId(rest.actor) } : rest,
  ),
);

class ReplacesInWork extends MemoryEngine {
  override send(envelopes: readonly Envelope[]): Promise<void> {
    return super.send(envelopes).catch((error: unknown) => {
      if (!(error instanceof MessageActiveError)) throw error;
    });
  }
}

/** Engines that break what a turn leaves, and how many there are at a time. */
export const turnMutants: readonly Mutant[] = [
  ...[StoresSendsBefore, StoresSendsAfter].map((engine): Mutant => [
    `stores what a turn sends ${engine === StoresSendsBefore ? 'before' : 'after'} its end`,
    engine,
    'what a turn sends, its reply and its end are there at the same moment',
  ]),
  [
    'loses replies',
    committing((outcome) =>
      outcome.kind === 'done' && outcome.effects
        ? { ...outcome, effects: { ...outcome.effects, reply: undefined } }
        : outcome,
    ),
    'what a turn sends, its reply and its end are there at the same moment',
  ],
  [
    'stores what is not refused of a turn',
    StoresWhatIsNotRefused,
    'a turn whose sends are refused stores nothing, and what it answers then is committed',
  ],
  [
    'loses what a turn sends that gives up',
    committing((outcome) => (outcome.kind === 'dead' ? { ...outcome, sends: [] } : outcome)),
    'a dead letter and what its turn sends are there at the same moment',
  ],
  [
    'loses what a turn sends that should stop its key and cannot',
    committing((outcome) => (outcome.kind === 'quarantine' ? { ...outcome, sends: [] } : outcome)),
    'a message that should stop its key, and stands in no mailbox, is given up with its sends',
  ],
  [
    'reverses what a turn sends',
    committing((outcome) =>
      outcome.kind === 'done' && outcome.effects
        ? {
            ...outcome,
            effects: { ...outcome.effects, sends: [...outcome.effects.sends].reverse() },
          }
        : outcome,
    ),
    'what a turn sends keeps its order and priority, and is not given out before it is due',
  ],
  [
    'keeps a message beside the one that replaces it',
    doubling,
    'one that replaces nothing is stored like any other, and its id is remembered',
  ],
  [
    'is silent about a message in work that is not replaced',
    ReplacesInWork,
    'a message in work is not replaced: the batch is refused and nothing of it stored',
  ],
  [
    'ignores the rate limit',
    employing(({ rateLimit: _, ...options }) => options),
    'no more turns start in a time than the rate limit allows, over all consumers',
  ],
  [
    'ignores limits',
    consuming(() => ({ limit: () => undefined })),
    'a consumer limited to none takes nothing, while others of its actor do',
  ],
  [
    'takes what is limited to none for one',
    consuming((consumer) => ({ limit: (most) => consumer.limit(Math.max(1, most)) })),
    'a limit changes how many turns run at the same time, and running ones go on',
  ],
  [
    'hands back at once what is for later',
    committing((outcome) => (outcome.kind === 'release' ? { kind: 'release' } : outcome)),
    'a message handed back for later uses no attempt, and does not come before its time',
  ],
  [
    'uses an attempt for a hand-back for later',
    committing((outcome, { startedAt }) =>
      outcome.kind === 'release'
        ? {
            kind: 'retry',
            delay: outcome.delay ?? 0,
            attempt: {
              attempt: 1,
              startedAt,
              finishedAt: startedAt,
              error: { name: '', message: '' },
            },
          }
        : outcome,
    ),
    'a message handed back for later uses no attempt, and does not come before its time',
  ],
];
