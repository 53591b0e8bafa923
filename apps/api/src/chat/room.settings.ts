import { Injectable } from '@nestjs/common';

/** How rooms are followed. */
@Injectable()
export class RoomSettings {
  /** How often one looks without a signal, which can be lost, ms. */
  poll = 5_000;
  /** How often a connection is tried, ms. */
  beat = 15_000;
  /** How often it is said again who is there, ms: well within the time that it counts. */
  renewal = 30_000;
  /** How much may be on its way to a client, bytes: with more it gets nothing until it has taken some. */
  most = 256 * 1024;
  /** How long a client may take nothing until it is cut off, ms: it comes back with its last id. */
  patience = 30_000;
}
