import type { AttemptRecord, DeadReason, Delivery } from './engine.js';

/** Gives a message up without asking supervision. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';

  constructor(
    readonly reason: DeadReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The handler was told to stop and its message goes back, at once or after `delay` ms. */
export class HandBack extends Error {
  override readonly name = 'HandBack';

  constructor(readonly delay?: number) {
    super('handed back');
  }
}

/**
 * What is remembered of a failed attempt. Whatever was thrown, it is bounded text that every store takes.
 *
 * @param mask hides secrets in messages and stacks
 */
export function toAttempt(
  { attempt, startedAt }: Delivery,
  thrown: unknown,
  now: number,
  mask: (text: string) => string,
): AttemptRecord {
  const error = thrown instanceof Error ? thrown : new Error(textOf(thrown));
  const cause = error instanceof GiveUp && error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return {
    attempt,
    startedAt,
    finishedAt: Math.max(startedAt, now),
    error: {
      name: storable(cause.name, 100),
      message: storable(mask(textOf(error.message)), 2_000),
      ...(code !== undefined && { code: storable(code, 100) }),
      ...(!(error instanceof GiveUp) &&
        error.stack && { stack: storable(mask(textOf(error.stack)), 4_000) }),
    },
  };
}

/** Text without NUL and lone surrogates (cutting can make one), bounded. */
function storable(value: unknown, limit: number): string {
  return textOf(value)
    .slice(0, limit)
    .replaceAll('\0', '\uFFFD')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** An object without prototype, or with a broken `toString`, has no text. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a thrown ${typeof value}`;
  }
}
