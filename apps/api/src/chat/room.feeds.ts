import { CLOCK, Signals, StoppingError, type Clock } from '@callsheet/messaging';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { farewell } from '../farewell.js';
import type { RoomClient } from './room.client.js';
import { RoomFeed, type FeedTools } from './room.feed.js';
import { RoomHistory } from './room.history.js';
import { RoomPresence } from './room.presence.js';
import { RoomSettings } from './room.settings.js';

/** How a client joins a room. */
export interface Joining {
  /** The number of the last message it has had; 0: all that is kept; absent: what comes from now on. */
  after?: number;
  /** Who is there, for the others to see. Default: nobody. */
  user?: string;
}

/** The rooms that clients of this process follow: one feed each, whatever the number of clients. */
@Injectable()
export class RoomFeeds implements OnModuleDestroy {
  private readonly feeds = new Map<string, RoomFeed>();
  private isStopping = false;

  constructor(
    private readonly history: RoomHistory,
    private readonly signals: Signals,
    private readonly presence: RoomPresence,
    private readonly settings: RoomSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws StoppingError when the process stops */
  requireOpen(): void {
    if (this.isStopping) throw new StoppingError();
  }

  /**
   * Hands the client what is new in the room, until it leaves.
   *
   * @returns what takes it out, once
   */
  join(room: string, client: RoomClient, { after, user }: Joining): () => void {
    const feed = this.feeds.get(room) ?? new RoomFeed(room, this.tools());
    this.feeds.set(room, feed);
    const leave = feed.join(client, after);
    const exit = user === undefined ? undefined : this.presence.enter(room, user);
    let isThere = true;
    return () => {
      if (!isThere) return;
      isThere = false;
      leave();
      exit?.();
      if (!feed.isEmpty) return;
      this.feeds.delete(room);
      void feed.close();
    };
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    await farewell(() => this.clients());
    await this.presence.close();
  }

  private tools(): FeedTools {
    const { history, signals, settings, clock } = this;
    return { history, signals, settings, clock };
  }

  private clients(): RoomClient[] {
    return [...this.feeds.values()].flatMap((feed) => feed.clients());
  }
}
