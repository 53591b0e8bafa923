import { ENGINE, type Engine, type MessageRecord, type MessageState } from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import type { ListPlace } from './message.list.js';

/** Which messages of an actor; what is absent does not narrow. */
export interface MessageFilter {
  actor: string;
  state?: MessageState;
  key?: string;
  type?: string;
}

/** The order in which states are listed, when none is asked for. */
const STATES: readonly MessageState[] = [
  'active',
  'waiting',
  'parked',
  'delayed',
  'dead',
  'done',
  'cancelled',
];

/** Messages that one call looks at, and how many it reads at once, at least or when it has to search. */
const MOST_READ = 1_000;
const FEW = 10;
const MANY = 100;

/** Lists the messages of an actor. Keys and types are looked for one message after the other: a call has a bound. */
@Injectable()
export class MessageLister {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  /** At most `limit` from a place on, and where it goes on. Undefined: the place is in a state that is not asked for. */
  async page(
    filter: MessageFilter,
    limit: number,
    from?: ListPlace,
  ): Promise<{ items: MessageRecord[]; next?: ListPlace } | undefined> {
    const states = filter.state === undefined ? STATES : [filter.state];
    const first = from ? states.indexOf(from.state) : 0;
    if (first < 0) return undefined;
    const isSearch = filter.key !== undefined || filter.type !== undefined;
    const items: MessageRecord[] = [];
    let last: ListPlace | undefined;
    let read = 0;
    for (const state of states.slice(first)) {
      let after = state === from?.state ? from.after : undefined;
      do {
        if (read >= MOST_READ) return { items, next: { state, ...(after && { after }) } };
        const size = isSearch ? MANY : Math.max(FEW, limit + 1 - items.length);
        const page = { state, limit: size, ...(after && { after }) };
        const listed = await this.engine.list(filter.actor, page);
        for (const { record, place } of listed.items) {
          if (!matches(record, filter)) continue;
          // One more than asked for tells whether there is a next page.
          if (items.length === limit) return { items, ...(last && { next: last }) };
          items.push(record);
          last = { state, after: place };
        }
        read += size;
        after = listed.next;
      } while (after);
    }
    return { items };
  }
}

/** Whether a message is of the key and type asked for. */
export function matches(
  { envelope }: MessageRecord,
  { key, type }: Pick<MessageFilter, 'key' | 'type'>,
): boolean {
  return (
    (key === undefined || envelope.key === key) && (type === undefined || envelope.type === type)
  );
}
