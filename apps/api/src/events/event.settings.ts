import { Injectable } from '@nestjs/common';

/** How events are followed, and activity is kept. */
@Injectable()
export class EventSettings {
  /** How often activity is told, ms. */
  tick = 1_000;
  /** How often queues are counted while somebody looks on, ms. */
  counts = 2_000;
  /** How often a connection is tried, ms. */
  beat = 15_000;
  /** How much may be on its way to a client, bytes: who takes it more slowly is cut off. */
  most = 256 * 1024;
  /** How many may follow in one process. */
  clients = 200;
  /** How long a step of the series is, ms. */
  step = 10_000;
  /** How many steps are kept. */
  steps = 360;
}
