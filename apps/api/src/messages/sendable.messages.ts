import { PACED_EMAIL } from '@callsheet/contracts';
import {
  MessageRegistry,
  ROUTES,
  UnknownMessageError,
  type MessageClass,
  type MessageInstance,
  type Secrecy,
} from '@callsheet/messaging';
import { SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { isPipelineMessage, SYNC_ACTORS } from '@callsheet/sync';
import { Injectable } from '@nestjs/common';
import { AUDIT_LOG } from '../audit/audit.actor.js';

/** Actors that keep what has calls of its own, which check what these would believe; and one that another one sends to. */
const OF_THE_HOUSE: readonly string[] = [
  ...SCHEDULER_ACTORS,
  ...SYNC_ACTORS,
  ROUTES,
  PACED_EMAIL,
  AUDIT_LOG,
];

/** The messages that clients may send: those that are known, but for those with which schedules, pipelines, routes and rates are kept. */
@Injectable()
export class SendableMessages {
  constructor(private readonly registry: MessageRegistry) {}

  /** In the order registered. */
  all(): readonly MessageClass[] {
    return this.registry
      .all()
      .filter((each) => !OF_THE_HOUSE.includes(each.meta.actor) && !isPipelineMessage(each));
  }

  /** The class of a type; undefined when it is not known, or nobody's to send. */
  find(type: string): MessageClass | undefined {
    return this.all().find(({ meta }) => meta.type === type);
  }

  /** What of a message of this type is secret, also of one that nobody may send; undefined when the type is not known. */
  secrecyOf(type: string): Secrecy | undefined {
    return this.registry.has(type) ? this.registry.get(type).meta : undefined;
  }

  /** A message by name. @throws UnknownMessageError, and whatever else {@link MessageRegistry.create} throws */
  create(type: string, data: unknown, version?: number): MessageInstance {
    if (!this.find(type)) throw new UnknownMessageError(type);
    return this.registry.create(type, data, version);
  }
}
