import { cloneOf } from './codec.js';
import type { Json, JsonObject } from './json.js';
import { ACTOR_NAME, isMessageType, type MessageInstance, type MessageType } from './message.js';
import { OptionError } from './messaging.errors.js';
import { checkedText, partsOf, type Parts } from './sealing.js';
import { checkSearch } from './search.term.js';

/**
 * A message as JSON, to be kept (in the state of a schedule, say) and sent later with `Actors.forward`, also by a process that
 * does not know its class. Made by {@link sealMessage}.
 */
export interface SealedMessage {
  /** `<actor>.<verb>`. */
  type: MessageType;
  /** The actor that handles it. */
  actor: string;
  /** Which instance of the actor it is for; absent: none. */
  key?: string;
  /** Version of the data's shape. */
  version: number;
  data: JsonObject;
  /** Which values of `data` stand for a Date, a BigInt and so on; absent: none. */
  types?: Json;
  /** Fields by whose values it is found; absent: none. */
  search?: readonly string[];
}

/**
 * A message as it can be kept; later changes of it change nothing in the message.
 *
 * @throws OptionError for what is no instance of a class made with Message(...)
 */
export function sealMessage(message: MessageInstance): SealedMessage {
  const { type, actor, version, data, types, key, search } = partsOf(message, 'message');
  return {
    type,
    actor,
    ...(key !== undefined && { key }),
    version,
    data,
    ...(types !== undefined && { types }),
    ...(search.length > 0 && { search }),
  };
}

/**
 * What a sealed message is made of, a copy. Its shape is checked; whether its data fits its class is checked where it is handled.
 *
 * @throws OptionError, because it may come out of a store
 */
export function unsealed(sealed: SealedMessage): Parts {
  if (!isObject(sealed)) throw new OptionError('sealed', 'must be what sealMessage() has made');
  const { type, actor, key, version, data, types, search = [] } = sealed;
  if (!isMessageType(type)) throw new OptionError('sealed.type', "must be '<actor>.<verb>'");
  if (typeof actor !== 'string' || !ACTOR_NAME.test(actor)) {
    throw new OptionError('sealed.actor', 'must be the name of an actor');
  }
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new OptionError('sealed.version', 'must be a whole number from 1');
  }
  if (!isObject(data)) throw new OptionError('sealed.data', 'must be an object');
  if (types !== undefined && (typeof types !== 'object' || types === null)) {
    throw new OptionError('sealed.types', 'must be an object');
  }
  checkSearch('sealed', search, []);
  return {
    type,
    actor,
    version,
    data: cloneOf(data) as JsonObject,
    types: cloneOf(types) as Json | undefined,
    key: key === undefined ? undefined : checkedText(key, 'sealed.key'),
    search: [...search],
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
