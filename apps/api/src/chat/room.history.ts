import { PostChat, roomMessage, RoomState, type RoomMessage } from '@callsheet/contracts';
import { CLOCK, ENGINE, Keys, readable, type Clock, type Engine } from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';

const { actor: CHAT } = PostChat.meta;

/** The most rows that are read at once. */
const PAGE = 1_000;
/** How many messages may come while one reads, without another read. */
const SPARE = 8;

/** A room as it is now. */
export interface RoomNow {
  /** Number of its last message, 0 when there is none. */
  seq: number;
  /** Who is there, sorted. */
  members: string[];
}

/** Reads rooms where the turns of their actor leave them, so without a worker, and without a message for each look. */
@Injectable()
export class RoomHistory {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly keys: Keys,
  ) {}

  /** @throws StoreError */
  async now(room: string): Promise<RoomNow> {
    const stored = readable(`state of ${CHAT} '${room}':`, await this.engine.state(CHAT, room));
    const { seq, places } = RoomState.parse(stored?.data ?? {});
    const now = this.clock.now();
    // Of a process that died nobody says that its users have left.
    const there = Object.values(places).filter(({ until }) => until > now);
    return { seq, members: [...new Set(there.flatMap(({ users }) => users))].sort() };
  }

  /**
   * The messages behind `seq` that are kept, oldest first, without a gap between them.
   *
   * @param about how many there are, as far as one knows
   * @throws StoreError
   */
  async after(room: string, seq: number, about: number): Promise<RoomMessage[]> {
    const found: RoomMessage[] = [];
    let before: string | undefined;
    for (let limit = Math.min(PAGE, about + SPARE); ; limit = PAGE) {
      const rows = await this.keys.journal(CHAT, room, { limit, ...(before && { before }) });
      for (const { row } of rows) {
        const message = roomMessage.parse(row);
        if (message.seq <= seq) return found.reverse();
        found.push(message);
      }
      // Old ones go while one reads, so the end comes in any case.
      if (rows.length < limit) return found.reverse();
      before = rows.at(-1)?.id;
    }
  }
}
