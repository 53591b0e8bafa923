import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OptionError, type Violation } from './messaging.errors.js';

/**
 * What `schema` makes of `value`; `path` names the schema in errors.
 *
 * @throws what `refuse` makes of the violations found; OptionError when the schema validates asynchronously
 */
export function parse(
  path: string,
  schema: StandardSchemaV1,
  value: unknown,
  refuse: (found: readonly Violation[]) => Error,
): unknown {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new OptionError(path, 'must validate synchronously');
  }
  if (result.issues) throw refuse(result.issues.map(toViolation));
  return result.value;
}

function toViolation({ path = [], message }: StandardSchemaV1.Issue): Violation {
  const segments = path.map((part) => String(typeof part === 'object' ? part.key : part));
  return { path: segments.join('/'), message };
}

/** Of data that is made and checked elsewhere: nothing is left to check. */
export function trusting<T>(): StandardSchemaV1<T, T> {
  return defaulting<T>({} as T);
}

/** As {@link trusting}; what is absent is as in `defaults`. */
export function defaulting<T>(defaults: T): StandardSchemaV1<T, T> {
  const validate = (value: unknown) => ({ value: { ...defaults, ...(value as T) } });
  return { '~standard': { version: 1, vendor: 'callsheet', validate } };
}
