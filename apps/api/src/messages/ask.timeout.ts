import { OptionError, toMilliseconds, type Duration } from '@callsheet/messaging';

/** How long an ask over HTTP may wait, ms: proxies give up after half a minute. */
const LONGEST_ASK = 25_000;

/** How long an ask waits, ms. @throws OptionError for what is no duration, or too long */
export function askTimeout(timeout: string | number = '10s'): number {
  const ms = toMilliseconds(timeout as Duration, 'timeout');
  if (ms > LONGEST_ASK) throw new OptionError('timeout', `must be at most ${LONGEST_ASK / 1_000}s`);
  return ms;
}
