import { Inject, Injectable } from '@nestjs/common';
import { carry } from './codec.js';
import type { JsonObject } from './json.js';
import { openMessage, type MessageClass, type MessageInstance } from './message.js';
import { DeclarationError, InvalidMessageError, UnknownMessageError } from './messaging.errors.js';
import { OPTIONS, type ResolvedOptions } from './messaging.options.js';

/** The messages this process knows by name. */
@Injectable()
export class MessageRegistry {
  private readonly classes = new Map<string, MessageClass>();
  private readonly names = new Set<string>();

  constructor(@Inject(OPTIONS) options: Pick<ResolvedOptions, 'messages' | 'actors'>) {
    for (const message of options.messages) this.add(message);
    for (const actor of options.actors) this.addActor(actor);
  }

  /**
   * Registers a class.
   *
   * @param actor who handles it: for an event, a subscriber
   * @throws DeclarationError for a second class of the same type
   */
  add(message: MessageClass, actor: string = message.meta.actor): void {
    const { type } = message.meta;
    const known = this.classes.get(type);
    if (known && known !== message) {
      throw new DeclarationError(
        `two message classes have the type '${type}': ${known.name} and ${message.name}`,
      );
    }
    this.classes.set(type, message);
    this.names.add(actor);
  }

  /** Makes known an actor that may have no message of its own. */
  addActor(name: string): void {
    this.names.add(name);
  }

  /** Whether a class has this type. */
  has(type: string): boolean {
    return this.classes.has(type);
  }

  /** The class of a type. @throws UnknownMessageError */
  get(type: string): MessageClass {
    const message = this.classes.get(type);
    if (!message) throw new UnknownMessageError(type);
    return message;
  }

  /** All classes, in the order registered. */
  all(): readonly MessageClass[] {
    return [...this.classes.values()];
  }

  /** Names of all actors, sorted. */
  actors(): readonly string[] {
    return [...this.names].sort();
  }

  /**
   * A message by name.
   *
   * @param version of the shape that the data has: older data is upcast at once. Default: the one that the class has now
   * @throws UnknownMessageError when no class has this type
   * @throws NewerVersionError when the class does not know this version yet
   * @throws InvalidMessageError when the data does not satisfy its schema, or the version is none
   */
  create(type: string, data: unknown, version?: number): MessageInstance {
    const message = this.get(type);
    if (version === undefined) return new message(data as never);
    const carried = carry(data, (found) => new InvalidMessageError(type, found));
    return openMessage(message, { version, ...carried, data: carried.data as JsonObject });
  }
}
