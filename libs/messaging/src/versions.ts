import { OptionError } from './messaging.errors.js';

/** Makes data of one version of a shape into data of the next. */
export type Upcast = (old: Record<string, unknown>) => unknown;

/** The versions of a shape, of a message or of a state: the one that is written now, and what reads the older ones. */
export interface Versions {
  /** The version that is written, from 1. */
  readonly version: number;
  /** By version: what makes the next version of it. */
  readonly upcast: Readonly<Record<number, Upcast>>;
}

/**
 * Requires an upcast for each version below the one that is written, and none for others.
 *
 * @param path names what has the versions in the error
 * @throws OptionError
 */
export function checkVersions(path: string, { version, upcast }: Versions): void {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new OptionError(`${path} version`, `must be a whole number from 1`);
  }
  if (typeof upcast !== 'object' || upcast === null) {
    throw new OptionError(`${path} upcast`, 'must be an object of functions');
  }
  for (let old = 1; old < version; old++) {
    if (typeof upcast[old] === 'function') continue;
    throw new OptionError(`${path} upcast.${old}`, `must be a function: version is ${version}`);
  }
  for (const old of Object.keys(upcast)) {
    if (Number(old) >= 1 && Number(old) < version) continue;
    throw new OptionError(
      `${path} upcast.${old}`,
      `is for no older version: version is ${version}`,
    );
  }
}

/**
 * Data of an older version, as the version that is written now.
 *
 * @throws what `refuse` makes of the problem: there is no such version, or an upcast threw `cause`
 */
export function upcastFrom(
  from: number,
  data: unknown,
  { version, upcast }: Versions,
  refuse: (problem: string, cause?: unknown) => Error,
): unknown {
  if (!Number.isSafeInteger(from) || from < 1 || from > version) {
    throw refuse(`has no version ${from}`);
  }
  let value = data;
  for (let old = from; old < version; old++) {
    try {
      value = upcast[old]?.(value as Record<string, unknown>);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw refuse(`cannot be made version ${old + 1} from ${old}: ${reason}`, cause);
    }
  }
  return value;
}
