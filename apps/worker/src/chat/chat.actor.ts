import { AttendRoom, PostChat, PRESENCE, roomSignal, RoomState } from '@callsheet/contracts';
import { Actor, Handle, Signals, type ReplyInput, type Turn } from '@callsheet/messaging';

type RoomTurn = Turn<typeof RoomState>;

/** How many messages of a room are kept. */
const KEEP = 500;
/** A state has at most 1,000 values. */
const MOST_USERS = 500;
const MOST_PLACES = 100;

/**
 * A room is a key: what is said in it has one order, whoever says it wherever. The history is its journal, committed with the
 * number of the message, so it has no gaps but at its beginning, where old messages go.
 */
@Actor({ state: RoomState, journal: { keep: KEEP }, mailbox: { max: 10_000 } })
export class ChatActor {
  constructor(private readonly signals: Signals) {}

  @Handle(PostChat)
  async post({ room, author, text }: PostChat, turn: RoomTurn): Promise<ReplyInput<PostChat>> {
    const seq = ++turn.state.seq;
    const at = turn.now.toISOString();
    turn.journal({ seq, author, text, at });
    await this.signals.send(roomSignal(room));
    return { seq, at };
  }

  /** What a process that died has said ends by itself. */
  @Handle(AttendRoom)
  async attend({ room, place, users }: AttendRoom, turn: RoomTurn): Promise<void> {
    const now = turn.now.getTime();
    const before = turn.state.places[place]?.users ?? [];
    const others = Object.entries(turn.state.places).filter(
      ([name, { until }]) => name !== place && until > now,
    );
    const taken = others.reduce((sum, [, there]) => sum + there.users.length, 0);
    const until = turn.sentAt.getTime() + PRESENCE;
    const isOver = until <= now || others.length >= MOST_PLACES;
    const shown = isOver ? [] : [...new Set(users)].slice(0, Math.max(0, MOST_USERS - taken));
    turn.state.places = Object.fromEntries(others);
    if (shown.length > 0) turn.state.places[place] = { until, users: shown };
    if (shown.join('\n') !== before.join('\n')) await this.signals.send(roomSignal(room));
  }
}
