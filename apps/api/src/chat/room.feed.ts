import { roomSignal, type RoomMessage } from '@callsheet/contracts';
import type { Clock, Signals } from '@callsheet/messaging';
import { Logger } from '@nestjs/common';
import type { RoomClient, RoomEvent } from './room.client.js';
import type { RoomHistory, RoomNow } from './room.history.js';
import type { RoomSettings } from './room.settings.js';

/** What a feed works with. */
export interface FeedTools {
  readonly history: RoomHistory;
  readonly signals: Signals;
  readonly settings: RoomSettings;
  readonly clock: Clock;
}

/** A client and what it has had. */
interface Seat {
  readonly client: RoomClient;
  /** The number after which it goes on; undefined: it wants what comes from now on. */
  after: number | undefined;
  /** Whether it was told where it begins. */
  isSeated: boolean;
  members: string;
  /** Since when it has more on its way than it may. */
  fullSince: number | undefined;
}

/**
 * One room as the clients of this process follow it: looks when there is a signal, and now and then, and hands each client what
 * it has not had. Who sent a message, and in which process, makes no difference: all of it is read from the store.
 */
export class RoomFeed {
  private readonly logger = new Logger('Chat');
  private readonly seats = new Set<Seat>();
  private readonly timer: NodeJS.Timeout;
  private ear?: Promise<() => Promise<void>>;
  private isStale = false;
  private isLooking = false;
  private beatAt: number;
  private isClosed = false;

  constructor(
    private readonly room: string,
    private readonly tools: FeedTools,
  ) {
    this.beatAt = tools.clock.now();
    this.timer = setInterval(() => this.tick(), tools.settings.poll).unref();
  }

  get isEmpty(): boolean {
    return this.seats.size === 0;
  }

  /** @returns what takes it out */
  join(client: RoomClient, after: number | undefined): () => void {
    const seat: Seat = {
      ...{ client, after },
      ...{ isSeated: false, members: '', fullSince: undefined },
    };
    this.seats.add(seat);
    // What is said from the moment when one listens is not missed.
    void this.listen().then(() => this.look());
    return () => this.seats.delete(seat);
  }

  clients(): RoomClient[] {
    return [...this.seats].map(({ client }) => client);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    const end = await this.ear?.catch(() => undefined);
    await end?.().catch(() => undefined);
  }

  private async listen(): Promise<void> {
    const { signals } = this.tools;
    const ear = (this.ear ??= signals.listen(roomSignal(this.room), () => this.look()));
    await ear.catch((error: Error) => {
      if (this.ear === ear) this.ear = undefined;
      this.logger.warn(`room ${this.room} cannot be listened to: ${error.message}`);
    });
  }

  private tick(): void {
    void this.listen();
    this.look();
    const now = this.tools.clock.now();
    if (now - this.beatAt < this.tools.settings.beat) return;
    this.beatAt = now;
    for (const { client } of this.seats) client.beat();
  }

  /** Soon; once for all who want it meanwhile. */
  private look(): void {
    this.isStale = true;
    if (!this.isLooking) void this.lookOn();
  }

  private async lookOn(): Promise<void> {
    this.isLooking = true;
    try {
      while (this.isStale && !this.isClosed && !this.isEmpty) {
        this.isStale = false;
        await this.serve();
      }
    } catch (error) {
      // The next tick tries again.
      this.logger.warn(`room ${this.room} cannot be read: ${(error as Error).message}`);
    } finally {
      this.isLooking = false;
    }
  }

  private async serve(): Promise<void> {
    // Who comes while one reads may have had more already than what is read.
    const seats = [...this.seats];
    const { history } = this.tools;
    const now = await history.now(this.room);
    for (const seat of seats) this.begin(seat, now);
    const ready = seats.filter((seat) => this.hasRoom(seat));
    const from = Math.min(...ready.map(({ after = now.seq }) => after));
    const messages = from < now.seq ? await history.after(this.room, from, now.seq - from) : [];
    for (const seat of ready) {
      this.hand(seat, messages);
      this.tellMembers(seat, now.members);
    }
  }

  /** Tells a client where it is. One that has had more than there is, in another store say, begins anew. */
  private begin(seat: Seat, { seq, members }: RoomNow): void {
    if (seat.isSeated) return;
    seat.isSeated = true;
    const given = seat.after ?? seq;
    seat.after = Math.min(given, seq);
    seat.members = members.join('\n');
    this.send(seat, { type: 'room', room: this.room, seq: seat.after, members });
    if (given > seq) this.send(seat, { type: 'gap', after: given, next: seq + 1 });
  }

  private hasRoom(seat: Seat): boolean {
    const { settings, clock } = this.tools;
    if (seat.client.pending <= settings.most) {
      seat.fullSince = undefined;
      return true;
    }
    seat.fullSince ??= clock.now();
    if (clock.now() - seat.fullSince > settings.patience) seat.client.terminate();
    return false;
  }

  private hand(seat: Seat, messages: readonly RoomMessage[]): void {
    for (const message of messages) {
      const after = seat.after ?? 0;
      if (message.seq <= after) continue;
      if (!this.hasRoom(seat)) return;
      if (message.seq > after + 1) this.send(seat, { type: 'gap', after, next: message.seq });
      this.send(seat, { type: 'message', ...message });
      seat.after = message.seq;
    }
  }

  private tellMembers(seat: Seat, members: string[]): void {
    const told = members.join('\n');
    if (told === seat.members) return;
    seat.members = told;
    this.send(seat, { type: 'members', members });
  }

  private send(seat: Seat, event: RoomEvent): void {
    seat.client.send(event, () => {
      if (seat.fullSince !== undefined && this.hasRoom(seat)) this.look();
    });
  }
}
