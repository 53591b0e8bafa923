import type { JsonObject } from '@callsheet/messaging';
import type { createBullBoard } from '@bull-board/api';
import type { SendableMessages } from '../messages/sendable.messages.js';
import { isMasked } from '../messages/secrets.js';

type Hooks = NonNullable<
  NonNullable<Parameters<typeof createBullBoard>[0]['options']>['handlerHooks']
>;

/** Nothing the board answers is deeper. */
const DEEPEST = 20;

/** Masks secrets in all that the board answers, and refuses to store a mask that comes back from its forms. */
export function boardSecrets(messages: SendableMessages): Required<Hooks> {
  return {
    before: ({ request }) =>
      isMasked(request?.body)
        ? { allow: false, status: 400, message: 'a masked value came back: edit it over the API' }
        : { allow: true },
    after: (_context, result) => ({
      ...result,
      body: jobsMasked(result.body, messages) as typeof result.body,
    }),
  };
}

/** A copy in which every job, wherever it stands, is without the secrets of its message, whose type is its name. */
function jobsMasked(value: unknown, messages: SendableMessages, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value;
  if (Array.isArray(value)) return value.map((each) => jobsMasked(each, messages, depth + 1));
  // Dates and the like are no parts of jobs.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const fields = value as JsonObject;
  const copy = Object.fromEntries(
    Object.entries(fields).map(([name, child]) => [name, jobsMasked(child, messages, depth + 1)]),
  );
  if (typeof fields.name !== 'string' || !isObject(fields.data)) return copy;
  return { ...copy, data: messages.shown(fields.name, fields.data) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
