import { EventSource } from 'eventsource';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.js';

/** What a peer was told, in the order in which it came. */
export interface Told {
  type: string;
  /** Of the event, when it came as a server-sent one. */
  id?: string;
  data: Record<string, unknown>;
}

/** Follows server-sent events as a browser does: comes back by itself. */
export class EventPeer {
  readonly told: Told[] = [];
  private readonly source: EventSource;

  /**
   * @param types of the events that it takes
   * @param headers sent with the first request, and with each that follows
   */
  constructor(url: string, types: readonly string[], headers: Record<string, string> = {}) {
    this.source = new EventSource(url, {
      fetch: (input, init) =>
        fetch(input, { ...init, headers: { ...headers, ...init.headers } as never }),
    });
    for (const type of types) {
      this.source.addEventListener(type, ({ lastEventId, data }) => {
        const parsed = JSON.parse(data as string) as Record<string, unknown>;
        this.told.push({ type, id: lastEventId, data: parsed });
      });
    }
    onTestFinished(() => this.close());
  }

  get isOpen(): boolean {
    return this.source.readyState === EventSource.OPEN;
  }

  of(type: string): Record<string, unknown>[] {
    return this.told.filter((each) => each.type === type).map(({ data }) => data);
  }

  /** Waits until it was told so many of a type. */
  async has(type: string, count = 1): Promise<this> {
    await eventually(() => {
      if (this.of(type).length >= count) return true;
      throw new Error(`${this.of(type).length} of ${count} '${type}' came`);
    });
    return this;
  }

  close(): void {
    this.source.close();
  }
}
