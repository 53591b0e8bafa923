import { ENGINE, fingerprintOf, type Engine, type Json } from '@callsheet/messaging';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { checkedKey } from './idempotency.key.js';
import { ProblemError } from './problem.js';

/** What was answered to a call, and what it was asked with. */
interface Receipt {
  fingerprint: string;
  answer: Json;
}

/** For how long a call that was answered is known, ms. */
const KNOWN = 24 * 60 * 60_000;

/** What the answer to a call with an Idempotency-Key is for. */
export const ONCE =
  'asked again with it within a day, the call does nothing and has the same answer; 1 to 200 characters';

/**
 * Makes a call that is asked again with its Idempotency-Key do nothing, and answer as it did. For calls that do no harm when they are
 * done twice, only something else: one that did what it was to, and whose process died before it noted that, is done again, and so
 * are two at the same time. Refusals are not noted.
 */
@Injectable()
export class Receipts {
  private readonly logger = new Logger('Callsheet');

  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  /**
   * @param call which call, and of what: a key is one for each
   * @param key value of the header, if there is one
   * @param body what it is asked with
   * @throws OptionError for a bad key, ProblemError when it was used with another body
   */
  async once<T extends object>(
    call: readonly string[],
    key: string | undefined,
    body: unknown,
    act: () => Promise<T>,
  ): Promise<T> {
    const own = checkedKey(key);
    if (own === undefined) return act();
    const name = createHash('sha256')
      .update(JSON.stringify([call, own]))
      .digest('hex');
    const fingerprint = fingerprintOf(jsonOf(body ?? null));
    const known = (await this.engine.noted(name)) as Receipt | undefined;
    if (known && known.fingerprint !== fingerprint) throw conflict();
    if (known) return known.answer as T;
    const answer = await act();
    try {
      const receipt = { fingerprint, answer: jsonOf(answer) };
      await this.engine.note(name, receipt, KNOWN);
    } catch (error) {
      // It is done: a refusal would have it done again.
      this.logger.warn(`an Idempotency-Key is not remembered: ${(error as Error).message}`);
    }
    return answer;
  }
}

/** As it travels: times are text. */
function jsonOf(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function conflict(): ProblemError {
  const errors = [{ path: 'Idempotency-Key', message: 'was used for another body' }];
  const detail = 'the Idempotency-Key was used for this call with another body; choose a new one';
  return new ProblemError('idempotency_conflict', detail, { errors });
}
