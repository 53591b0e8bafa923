import { PACED_EMAIL, WebhookReceived } from '@callsheet/contracts';
import {
  DeadLetterAdded,
  MessageRegistry,
  ROUTES,
  UnknownMessageError,
  type MessageClass,
  SECRET,
  type JsonObject,
  type MessageInstance,
  type Secrecy,
} from '@callsheet/messaging';
import { ScheduleTroubled, SCHEDULER_ACTORS } from '@callsheet/scheduler';
import { isPipelineMessage, SYNC_ACTORS } from '@callsheet/sync';
import { Injectable } from '@nestjs/common';
import { masked } from './secrets.js';
import { OWN_ACTORS } from '../actors/known.actor.js';

/** Actors that keep what has calls of its own, which check what these would believe; and one that another one sends to. */
const KEEPERS: readonly string[] = [...SCHEDULER_ACTORS, ...SYNC_ACTORS, ROUTES, ...OWN_ACTORS];
const OF_THE_HOUSE: readonly string[] = [...KEEPERS, PACED_EMAIL];
/** Events that are believed: that a signature was right, that something failed. */
const BELIEVED: readonly string[] = [
  WebhookReceived.meta.type,
  ScheduleTroubled.meta.type,
  DeadLetterAdded.meta.type,
];

/** Whether an actor keeps schedules, pipelines, routes or the audit log, each of which has calls of its own, or is asked by readiness. */
export function isKept(actor: string): boolean {
  return KEEPERS.includes(actor);
}

/** The messages that clients may send: those that are known, but for those with which schedules, pipelines, routes and rates are kept. */
@Injectable()
export class SendableMessages {
  constructor(private readonly registry: MessageRegistry) {}

  /** In the order registered. */
  all(): readonly MessageClass[] {
    return this.registry
      .all()

      .filter(
        (each) =>
          !OF_THE_HOUSE.includes(each.meta.actor) &&
          !BELIEVED.includes(each.meta.type) &&
          !isPipelineMessage(each),
      );
  }

  /** The class of a type; undefined when it is not known, or nobody's to send. */
  find(type: string): MessageClass | undefined {
    return this.all().find(({ meta }) => meta.type === type);
  }

  /** What of a message of this type is secret, also of one that nobody may send; undefined when the type is not known. */
  secrecyOf(type: string): Secrecy | undefined {
    return this.registry.has(type) ? this.registry.get(type).meta : undefined;
  }

  /** Data of a message as it may be shown: of those with which schedules and the like are kept, which carry data of others, the names alone. */
  shown(type: string, data: JsonObject): JsonObject {
    if (!isKept(type.split('.', 1)[0] ?? '')) return masked(this.secrecyOf(type), data);
    return Object.fromEntries(Object.keys(data).map((name) => [name, SECRET]));
  }

  /** A message by name. @throws UnknownMessageError, and whatever else {@link MessageRegistry.create} throws */
  create(type: string, data: unknown, version?: number): MessageInstance {
    if (!this.find(type)) throw new UnknownMessageError(type);
    return this.registry.create(type, data, version);
  }
}
