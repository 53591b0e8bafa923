import {
  InvalidMessageError,
  redact,
  SECRET,
  type Json,
  type JsonObject,
  type Secrecy,
} from '@callsheet/messaging';

/** The data of a message as it may be shown. @param meta of its class; without one nothing is known to be secret */
export function masked(meta: Secrecy | undefined, data: JsonObject): JsonObject {
  return redact(meta, data) as JsonObject;
}

/** Whether anything in a value is masked: who sends it back without saying of what would store the mask. */
export function isMasked(value: unknown): boolean {
  if (value === SECRET) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(isMasked);
}

/**
 * Data that was shown, and comes back: what is masked in it is put back from where it was.
 *
 * @param stored what was shown, if there is such
 * @throws InvalidMessageError for what is masked and is nowhere to be had
 */
export function unmasked(
  { type, secret = [] }: Secrecy & { type: string },
  given: Record<string, unknown>,
  stored: JsonObject | undefined,
): Record<string, unknown> {
  const restore = (
    value: unknown,
    known: Json | undefined,
    paths: readonly string[][],
    trail: readonly string[],
  ): unknown => {
    if (paths.length === 0) return value;
    if (paths.some((path) => path.length === 0)) {
      if (value !== SECRET) return value;
      if (known !== undefined) return known;
      const message = `is masked: ${SECRET} stands for a value that is not shown; give the value`;
      throw new InvalidMessageError(type, [{ path: trail.join('/'), message }]);
    }
    if (Array.isArray(value)) {
      return value.map((each, index) =>
        restore(each, Array.isArray(known) ? known[index] : undefined, paths, [
          ...trail,
          String(index),
        ]),
      );
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => {
        const inner = paths.filter(([first]) => first === name).map(([, ...rest]) => rest);
        return [name, restore(child, memberOf(known, name), inner, [...trail, name])];
      }),
    );
  };
  const paths = secret.map((path) => path.split('.'));
  return restore(given, stored, paths, []) as Record<string, unknown>;
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
