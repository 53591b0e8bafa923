import { useSyncExternalStore } from 'react';
import type { components } from './api/openapi.js';
import { queries } from './api/queries.js';
import { recount } from './recount.js';

type ActivityEvent = Extract<components['schemas']['Events'], { event: 'activity' }>['data'];

/** live: events tell what changes. polling: it is asked for now and then. offline: nobody answers. */
export type Liveness = 'live' | 'polling' | 'offline';

/** How often events may have something asked for again, milliseconds. */
const PACE = 1_000;
/** First and longest wait before a stream that broke is opened again, milliseconds. */
const SOON = 1_000;
const LATE = 60_000;

/**
 * Calls whose answers an event may have made old, by their path; also those below it. Numbers of messages come with the events that tell
 * of activity. Groups of dead letters, for which all letters are looked at, are polled alone.
 */
const TOUCHED: Readonly<Record<string, readonly string[]>> = {
  activity: ['/v1/messages', '/v1/actors/{actor}/keys'],
  'dead-letter': ['/v1/dead-letters', '/v1/messages'],
  key: ['/v1/actors'],
  actor: ['/v1/actors'],
  schedule: ['/v1/schedules'],
  pipeline: ['/v1/sync'],
  audit: ['/v1/audit'],
};

/**
 * Follows `/v1/events`: one stream for all pages of a tab, none while the tab is hidden, because browsers open but six connections to
 * a server. However many events come, what is shown is asked for again at most once a second.
 */
class Live {
  private source: EventSource | undefined;
  private isOpen = false;
  /** Whether the last call was answered. */
  private isAnswered = true;
  private wait = SOON;
  private reopening: ReturnType<typeof setTimeout> | undefined;
  private readonly touched = new Set<string>();
  private flushing: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  get state(): Liveness {
    if (!this.isAnswered) return 'offline';
    return this.isOpen ? 'live' : 'polling';
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.listeners.size === 0) {
      document.addEventListener('visibilitychange', this.follow);
      this.follow();
    }
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      document.removeEventListener('visibilitychange', this.follow);
      this.close();
    };
  };

  /** Whether a call has got an answer, whatever it was. */
  heard(isAnswered: boolean): void {
    this.change(() => (this.isAnswered = isAnswered));
  }

  private readonly follow = (): void => {
    if (document.hidden) return this.close();
    if (this.source) return;
    this.source = new EventSource('/v1/events');
    this.source.addEventListener('hello', () => {
      this.wait = SOON;
      this.change(() => (this.isOpen = this.isAnswered = true));
      // Whatever happened since it was looked at last.
      void queries.invalidateQueries({}, { cancelRefetch: false });
    });
    this.source.addEventListener('error', () => this.retry());
    for (const name of Object.keys(TOUCHED)) {
      this.source.addEventListener(name, () => this.touch(name));
    }
    this.source.addEventListener('activity', ({ data }: MessageEvent<string>) => {
      recount((JSON.parse(data) as ActivityEvent).actors);
    });
    this.source.addEventListener('left-out', ({ data }: MessageEvent<string>) => {
      const { kind } = JSON.parse(data) as { kind: string };
      this.touch(kind);
    });
  };

  /** The browser would try again for ever at one pace, and not at all after a refusal. */
  private retry(): void {
    this.close();
    const jitter = 0.5 + Math.random() / 2;
    this.reopening = setTimeout(this.follow, this.wait * jitter);
    this.wait = Math.min(LATE, this.wait * 2);
  }

  private close(): void {
    clearTimeout(this.reopening);
    this.source?.close();
    this.source = undefined;
    this.change(() => (this.isOpen = false));
  }

  private touch(event: string): void {
    for (const path of TOUCHED[event] ?? []) this.touched.add(path);
    this.flushing ??= setTimeout(() => {
      this.flushing = undefined;
      const paths = [...this.touched];
      this.touched.clear();
      void queries.invalidateQueries(
        {
          predicate: ({ queryKey: [, path] }) =>
            typeof path === 'string' &&
            paths.some((touched) => path === touched || path.startsWith(`${touched}/`)),
        },
        // One that takes longer than a second would else never come to its end.
        { cancelRefetch: false },
      );
    }, PACE);
  }

  private change(how: () => unknown): void {
    const before = this.state;
    how();
    if (this.state !== before) for (const listener of this.listeners) listener();
  }
}

export const live = new Live();

/** Whether what is shown follows what happens. */
export function useLiveness(): Liveness {
  return useSyncExternalStore(live.subscribe, () => live.state);
}
