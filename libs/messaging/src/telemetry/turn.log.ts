import { Logger } from '@nestjs/common';
import { inspect, type InspectOptions } from 'node:util';
import { fingerprintOfDeath } from '../dead.letter.fingerprint.js';
import type { Delivery, Outcome } from '../engine.js';
import { Repeats } from './repeats.js';
import { traceIdOf } from './trace.context.js';

const logger = new Logger('Callsheet');
const repeats = new Repeats();

/** The longest text of an error in a line. */
const LONGEST = 500;

/**
 * Tells of a turn that did not end well: a line for people, and, where logs are JSON (`new ConsoleLogger({ json: true })`),
 * what is known of the message as fields. Dead letters and quarantined keys are all told; of failures that are tried again,
 * and of messages handed back, the first five of the same trouble in ten seconds, then how many more there were.
 *
 * @param outcome its error is free of secrets
 * @param attempts how many the message has in all
 */
export function report(delivery: Delivery, outcome: Outcome, attempts: number): void {
  const line = lineOf(delivery, outcome, attempts);
  if (line === undefined) return;
  const { type, id } = delivery.envelope;
  const held = heldBack(delivery, outcome);
  if (held === undefined) return;
  const more = held > 0 ? ` (and ${held} more like it since)` : '';
  const text = `${type} ${id}: ${line}${more}`;
  const fields = fieldsOf(delivery, outcome, attempts);
  if (outcome.kind === 'dead' || outcome.kind === 'quarantine') logger.error(text, fields);
  else if (outcome.kind === 'cancelled') logger.log(text, fields);
  else logger.warn(text, fields);
}

function lineOf({ attempt, envelope }: Delivery, outcome: Outcome, attempts: number) {
  switch (outcome.kind) {
    case 'done':
      return undefined;
    case 'retry':
      return `attempt ${attempt} of ${attempts} failed, again in ${outcome.delay} ms: ${textOf(outcome)}`;
    case 'dead':
      return `dead letter (${outcome.reason}): ${textOf(outcome)}`;
    case 'quarantine':
      return `its key '${envelope.key}' is quarantined, nothing of it is handled until it is released: ${textOf(outcome)}`;
    case 'release':
      return 'handed back unfinished';
    case 'cancelled':
      return 'cancelled';
  }
}

/** One line, whatever was thrown. */
function textOf({ attempt }: Extract<Outcome, { attempt: object }>): string {
  return attempt.error.message.replace(/\s+/g, ' ').slice(0, LONGEST);
}

/** How many of the same trouble were held back before this one, or undefined to hold it back. */
function heldBack({ envelope, startedAt }: Delivery, outcome: Outcome): number | undefined {
  if (outcome.kind !== 'retry' && outcome.kind !== 'release') return 0;
  const { error, finishedAt = startedAt } = 'attempt' in outcome ? outcome.attempt : {};
  const { actor, type } = envelope;
  const trouble = fingerprintOfDeath({ actor, type, reason: outcome.kind, error });
  return repeats.tell(trouble, finishedAt);
}

function fieldsOf({ envelope, attempt }: Delivery, outcome: Outcome, attempts: number): object {
  const { type, id, actor, key, tenant } = envelope;
  const fields = {
    type,
    id,
    actor,
    key,
    attempt,
    attempts,
    outcome: outcome.kind,
    reason: outcome.kind === 'dead' ? outcome.reason : undefined,
    delay: outcome.kind === 'retry' ? outcome.delay : undefined,
    error: 'attempt' in outcome ? outcome.attempt.error.name : undefined,
    tenant,
    correlationId: envelope.correlationId ?? id,
    traceId: traceIdOf(envelope),
  };
  const known = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
  return { ...known, [inspect.custom]: quiet };
}

/** Nest's logger for people shows fields with `inspect` after the line, which has said it all. In JSON it shows them. */
function quiet(this: object, depth: number, options: InspectOptions): unknown {
  if (depth === options.depth) return '';
  return Object.fromEntries(Object.entries(this));
}
