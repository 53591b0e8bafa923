import { OptionError } from './messaging.errors.js';

/** A span of time: milliseconds as a number, or a number with a unit: `'250ms'`, `'10s'`, `'5m'`, `'24h'`, `'90d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** The longest accepted duration: one year. Longer delays are almost always a unit mistake. */
export const MAX_DURATION = 365 * UNITS.d;

/**
 * Milliseconds of a {@link Duration}, rounded to a whole number.
 *
 * @param path names the option in the error
 * @throws OptionError for another unit, a negative or non-finite number, or more than {@link MAX_DURATION}
 */
export function toMilliseconds(duration: Duration, path: string): number {
  const value = parse(duration);
  if (value === undefined || !Number.isFinite(value) || value < 0) {
    throw new OptionError(
      path,
      `must be milliseconds or a string such as '10s', got ${show(duration)}`,
    );
  }
  if (value > MAX_DURATION) throw new OptionError(path, `must be at most 365d`);
  return Math.round(value);
}

function parse(duration: unknown): number | undefined {
  if (typeof duration === 'number') return duration;
  if (typeof duration !== 'string' || duration.length > 32) return undefined;
  const match = PATTERN.exec(duration);
  return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : undefined;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  return typeof value === 'number' || value === null ? String(value) : typeof value;
}

function shorten(text: string): string {
  return text.length > 32 ? `${text.slice(0, 32)}…` : text;
}
