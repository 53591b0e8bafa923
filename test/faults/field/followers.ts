import { SsePeer, WsPeer, type RoomPeer } from '../../support/room.peer.js';

/** What somebody was told in a room. */
export interface Line {
  seq: number;
  author: string;
  text: string;
}

/** Those who follow rooms: one that stays, by server-sent events, and one that goes and comes back, over WebSockets. */
export class FieldFollowers {
  private readonly staying = new Map<string, SsePeer>();
  private readonly moving = new Map<string, { peer: WsPeer; before: Line[] }>();

  constructor(
    private readonly url: string,
    rooms: readonly string[],
  ) {
    for (const room of rooms) {
      this.staying.set(room, new SsePeer(`${url}/v1/rooms/${room}/events?after=0`));
      this.moving.set(room, { peer: this.socket(room, 0), before: [] });
    }
  }

  async seated(): Promise<void> {
    await Promise.all([...this.staying.values()].map((peer) => peer.seated()));
    await Promise.all([...this.moving.values()].map(({ peer }) => peer.seated()));
  }

  /** All who move leave, and come back where they were. */
  async move(): Promise<void> {
    for (const [room, { peer }] of this.moving) {
      peer.close();
      const before = this.moved(room);
      this.moving.set(room, { peer: this.socket(room, before.at(-1)?.seq ?? 0), before });
    }
    await this.seated();
  }

  /** What each who follows a room was told, the one who moves in all places. */
  told(room: string): [Line[], Line[]] {
    return [linesOf(this.staying.get(room)), this.moved(room)];
  }

  private moved(room: string): Line[] {
    const { before = [], peer } = this.moving.get(room) ?? {};
    return [...before, ...linesOf(peer)];
  }

  private socket(room: string, after: number): WsPeer {
    return new WsPeer(`${this.url}/v1/rooms/${room}/socket?after=${after}`);
  }
}

function linesOf(peer: RoomPeer | undefined): Line[] {
  return (peer?.of('message') ?? []) as unknown as Line[];
}
