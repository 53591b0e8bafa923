import type { RoomMessage } from '@callsheet/contracts';
import type { SentEvent } from '../event.stream.js';

/** What a client is told of a room. */
export type RoomEvent =
  /** First of all: where it begins. What follows comes behind `seq`. */
  | { type: 'room'; room: string; seq: number; members: string[] }
  | ({ type: 'message' } & RoomMessage)
  /** What it has had ends with `after`, and the next message is `next`: those between are not kept any more. */
  | { type: 'gap'; after: number; next: number }
  /** Who is there now. */
  | { type: 'members'; members: string[] };

/** Somebody who follows a room over a connection. */
export interface RoomClient {
  /** Bytes that are on their way to it and that it has not taken. */
  readonly pending: number;
  /** @param taken called when the connection has taken it */
  send(event: RoomEvent, taken: () => void): void;
  /** Shows that the connection lives, or finds out that it does not. */
  beat(): void;
  /** Says goodbye: the client may come back, here or elsewhere. */
  close(): void;
  /** Ends the connection at once. */
  terminate(): void;
}

/** An event as it goes on the wire. */
export function sentEvent(event: RoomEvent): SentEvent {
  const { type: name, ...data } = event;
  return { name, data, id: idOf(event) };
}

/** The number after which a client that has had it goes on. */
function idOf(event: RoomEvent): number | undefined {
  switch (event.type) {
    case 'room':
    case 'message':
      return event.seq;
    case 'gap':
      return event.next - 1;
    case 'members':
      return undefined;
  }
}
