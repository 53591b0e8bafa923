import { AttendRoom } from '@callsheet/contracts';
import { Actors, CLOCK, type Clock } from '@callsheet/messaging';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RoomSettings } from './room.settings.js';

/** The most users of a room of which a process tells. */
const MOST = 500;
/** How long the store may take when the process stops, ms. */
const GOODBYE = 1_000;

/** Who of a room has connections here, and what the room was told of it. */
interface Attendance {
  readonly room: string;
  /** How many connections each has. */
  readonly users: Map<string, number>;
  told: string;
  toldAt: number;
  isTelling: boolean;
  telling?: Promise<void>;
}

/**
 * Tells rooms who of them has connections to this process: all of them, whenever that changes and now and then, so that what is
 * lost is made up for, and what a process that died has told ends by itself.
 */
@Injectable()
export class RoomPresence {
  private readonly logger = new Logger('Chat');
  private readonly place = randomUUID();
  private readonly rooms = new Map<string, Attendance>();
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly actors: Actors,
    private readonly settings: RoomSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @returns what ends it */
  enter(room: string, user: string): () => void {
    const { renewal } = this.settings;
    this.timer ??= setInterval(() => this.renew(), renewal / 3).unref();
    const attendance = this.rooms.get(room) ?? {
      ...{ room, users: new Map<string, number>() },
      ...{ told: '', toldAt: 0, isTelling: false },
    };
    this.rooms.set(room, attendance);
    const { users } = attendance;
    users.set(user, (users.get(user) ?? 0) + 1);
    this.tell(attendance);
    return () => {
      const left = (users.get(user) ?? 1) - 1;
      if (left > 0) users.set(user, left);
      else users.delete(user);
      this.tell(attendance);
    };
  }

  /** Waits, not long, until what is to be told has been. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    const telling = [...this.rooms.values()].map((each) => each.telling ?? Promise.resolve());
    await Promise.race([Promise.all(telling), sleep(GOODBYE, undefined, { ref: false })]);
  }

  private renew(): void {
    for (const attendance of this.rooms.values()) this.tell(attendance);
  }

  private tell(attendance: Attendance): void {
    if (!attendance.isTelling) attendance.telling = this.tellOn(attendance);
  }

  /** One after the other: the last that is told is what is. */
  private async tellOn(attendance: Attendance): Promise<void> {
    const { room } = attendance;
    attendance.isTelling = true;
    try {
      while (this.isDue(attendance)) {
        const users = usersOf(attendance);
        await this.actors.tell(new AttendRoom({ room, place: this.place, users }));
        attendance.told = users.join('\n');
        attendance.toldAt = this.clock.now();
      }
      if (attendance.users.size === 0) this.rooms.delete(room);
    } catch (error) {
      // The next renewal tries again.
      this.logger.warn(`room ${room} is not told who is there: ${(error as Error).message}`);
    } finally {
      attendance.isTelling = false;
    }
  }

  private isDue(attendance: Attendance): boolean {
    if (usersOf(attendance).join('\n') !== attendance.told) return true;
    if (attendance.users.size === 0) return false;
    return this.clock.now() - attendance.toldAt >= this.settings.renewal;
  }
}

function usersOf({ users }: Attendance): string[] {
  return [...users.keys()].sort().slice(0, MOST);
}
