import {
  redact,
  unreadable,
  type Json,
  type JournalRow,
  type JsonObject,
  type KeyRecord,
  type QuarantinedKey,
  type StoredState,
} from '@callsheet/messaging';
import { z } from 'zod';
import { attemptView, iso, toAttemptView } from '../messages/message.view.js';
import { pageCursor, pageLimit, pageNext } from '../page.js';
import { schemas } from '../schema.registry.js';

const time = z.iso.datetime();
const depth = z.int().describe('messages in its mailbox, the one in work included');

/** How many keys are listed, all pages together. */
export const MOST_KEYS = 1_000;

/** The query of a list of keys. */
export const keyQuery = z.strictObject({
  by: z.enum(['age', 'depth']).optional(),
  limit: pageLimit,
  cursor: pageCursor,
});
export type KeyQuery = z.output<typeof keyQuery>;

/** The query of a page of a journal. */
export const journalQuery = z.strictObject({
  before: z
    .string()
    .regex(/^\d{1,16}-[1-9]\d{0,17}$|^[1-9]\d{0,15}-0$/, 'must be the id of a row')
    .optional(),
  limit: pageLimit,
});
export type JournalQuery = z.output<typeof journalQuery>;

/** Keys with messages. */
export const keyList = z
  .object({
    items: z.array(
      z.object({
        key: z.string(),
        depth,
        since: time.describe('when the first of them could first be handled'),
        quarantined: z.boolean().describe('nothing of it is given out until it is released'),
      }),
    ),
    next: pageNext,
  })
  .register(schemas, { id: 'KeyList' });
export type KeyList = z.infer<typeof keyList>;

/** A key as the API shows it. */
export const keyView = z
  .object({
    key: z.string(),
    depth,
    since: time.optional().describe('when the first of them could first be handled'),
    state: z
      .object({
        data: z.unknown().describe('as the turn left it, without what its actor declares secret'),
        revision: z.int().describe('how often it was committed'),
        version: z.int().describe("of the state's shape"),
        unreadable: z
          .string()
          .optional()
          .describe('why data is encrypted still: it cannot be decrypted here'),
      })
      .optional()
      .describe('what the last turn committed; absent when none has left a state'),
    quarantine: z
      .object({
        since: time,
        job: z.string().describe('the message that stopped it, by its name on the board'),
        ...attemptView.shape,
      })
      .optional()
      .describe('the failure that stopped it; absent when it is not quarantined'),
  })
  .register(schemas, { id: 'Key' });
export type KeyView = z.infer<typeof keyView>;

/** A page of the journal of a key. */
export const journalPage = z
  .object({
    items: z.array(
      z.object({
        id: z.string(),
        at: time.describe('when its turn was committed'),
        row: z
          .record(z.string(), z.unknown())
          .describe('as it is stored, without what its actor declares secret'),
      }),
    ),
    next: z.string().optional().describe('`before` of the next page; absent when this is the last'),
  })
  .register(schemas, { id: 'Journal' });
export type JournalPage = z.infer<typeof journalPage>;

/** What is answered when a quarantined key was let go on. */
export const released = z
  .object({ key: z.string(), state: z.literal('released') })
  .register(schemas, { id: 'Released' });
export type Released = z.infer<typeof released>;

/**
 * @param records those of the page, one more if there are more
 * @param from how many come before them
 */
export function toKeyList(records: readonly KeyRecord[], limit: number, from: number): KeyList {
  return {
    items: records.slice(0, limit).map(({ key, depth, since, isQuarantined }) => ({
      key,
      depth,
      since: iso(since),
      quarantined: isQuarantined,
    })),
    next: records.length > limit ? String(from + limit) : undefined,
  };
}

/**
 * @param rows one more than `limit`, if there are more
 * @param state of the key, which says what is secret
 */
export function toJournalPage(
  rows: readonly JournalRow[],
  limit: number,
  state: StoredState | undefined,
): JournalPage {
  const shown = rows.slice(0, limit);
  return {
    items: shown.map(({ id, at, row }) => ({
      id,
      at: iso(at),
      row: shownOf(state, row) as JsonObject,
    })),
    next: rows.length > limit ? shown.at(-1)?.id : undefined,
  };
}

/** What may be shown of what a key holds. */
function shownOf({ secret = [] }: Pick<StoredState, 'secret'> = {}, data: Json): Json {
  return redact({ secret }, data);
}

/** What the store knows of a key. */
export interface KeyFacts {
  key: string;
  depth: number;
  since?: number;
  state?: StoredState;
  quarantine?: QuarantinedKey;
}

export function toKeyView({ key, depth, since, state, quarantine }: KeyFacts): KeyView {
  return {
    key,
    depth,
    since: since === undefined ? undefined : iso(since),
    state: state && {
      data: shownOf(state, state.data),
      revision: state.revision,
      version: state.version,
      unreadable: unreadable(state),
    },
    quarantine: quarantine && {
      since: iso(quarantine.since),
      job: quarantine.storageId,
      ...toAttemptView(quarantine.attempt),
    },
  };
}
