import type { Carried } from '../codec.js';
import type { AttemptRecord, MessageRecord, StoredState } from '../engine.js';
import { storageId, type Envelope } from '../envelope.js';
import type { JsonObject } from '../json.js';
import { ENCRYPTED, unreadable, type Encrypted } from './encrypted.js';
import type { Belonging, KeyRing } from './key.ring.js';

/** Begins the message of an error that is encrypted; the rest is JSON. */
const HIDDEN = `${ENCRYPTED} `;

type Identity = Pick<Envelope, 'actor' | 'type' | 'id' | 'version' | 'key' | 'tenant' | 'topic'>;
type Named = Pick<Envelope, 'actor'> & { storageId: string };

/** Which payloads there are, what each belongs to, and how it is stored. */
export class Payloads {
  constructor(readonly ring: KeyRing) {}

  /** @param place which of the digests stands for its body */
  seal(envelope: Envelope, place: number): Envelope {
    const { id, fingerprint, terms } = envelope;
    const digest =
      fingerprint === undefined ? undefined : this.ring.digests(id, fingerprint)[place];
    return Object.assign({}, envelope, this.sealData(envelope, envelope), {
      ...(digest !== undefined && { fingerprint: digest }),
      ...(terms && { terms: this.sealTerms(terms) }),
    }) as Envelope;
  }

  /** @param data of the message, or what takes its place */
  sealData(envelope: Identity, data: Carried): Carried {
    return this.ring.seal(data, ofMessage(envelope));
  }

  /** They stay so when the message is opened: nothing but a search needs them. */
  sealTerms(terms: readonly string[]): string[] {
    return terms.map((term) => this.ring.terms(term)[0] ?? term);
  }

  open(envelope: Envelope): Envelope {
    return replaced(envelope, this.ring.open(envelope, ofMessage(envelope)));
  }

  sealState(actor: string, key: string, state: StoredState): StoredState {
    return Object.assign({}, state, this.ring.seal(state, ofState(actor, key, state)));
  }

  openState(actor: string, key: string, state: StoredState): StoredState {
    return replaced(state, this.ring.open(state, ofState(actor, key, state)));
  }

  sealRow(actor: string, key: string, row: JsonObject): JsonObject {
    return this.ring.seal({ data: row }, ofJournal(actor, key)).data as JsonObject;
  }

  openRow(actor: string, key: string, row: JsonObject): JsonObject {
    return this.ring.open({ data: row }, ofJournal(actor, key)).data as JsonObject;
  }

  /** Messages of errors repeat what was wrong, and so may their stacks; name and code do not. */
  sealAttempt(named: Named, attempt: AttemptRecord): AttemptRecord {
    const { first } = this.ring;
    if (first === undefined) return attempt;
    const { message, stack, ...rest } = attempt.error;
    const plain = JSON.stringify(stack === undefined ? [message] : [message, stack]);
    const hidden = this.ring.encrypt(plain, ofError(named), first);
    return { ...attempt, error: { ...rest, message: HIDDEN + JSON.stringify(hidden) } };
  }

  openAttempt(named: Named, attempt: AttemptRecord): AttemptRecord {
    const { error } = attempt;
    if (!error.message.startsWith(HIDDEN)) return attempt;
    const opened = this.ring.decrypt(parsed(error.message.slice(HIDDEN.length)), ofError(named));
    if ('problem' in opened) return { ...attempt, error: { ...error, message: opened.problem } };
    const [message = '', stack] = opened.value as string[];
    return { ...attempt, error: { ...error, message, ...(stack !== undefined && { stack }) } };
  }

  sealReply(envelope: Identity, reply: Carried): Carried {
    return this.ring.seal(reply, ofReply(envelope));
  }

  /** A message that has no reply. */
  sealRecord(record: MessageRecord): MessageRecord {
    const { envelope, history, storageId: id } = record;
    const named = { actor: envelope.actor, storageId: id };
    return {
      ...record,
      envelope: replaced(envelope, this.sealData(envelope, envelope)),
      history: history.map((attempt) => this.sealAttempt(named, attempt)),
    };
  }

  /** Whether data and errors of a message are encrypted with the first key. */
  isCurrent({ envelope, history }: MessageRecord): boolean {
    const { first } = this.ring;
    const isOurs = ({ error: { message } }: AttemptRecord): boolean =>
      message.startsWith(HIDDEN)
        ? parsed(message.slice(HIDDEN.length)).kid === first
        : first === undefined;
    return this.ring.isCurrent(envelope) && history.every(isOurs);
  }

  /** The same encrypted with the first key; undefined when not all of it can be decrypted. */
  renewed(stored: MessageRecord): MessageRecord | undefined {
    const { envelope, storageId: id } = stored;
    const named = { actor: envelope.actor, storageId: id };
    const isReadable = ({ error: { message } }: AttemptRecord): boolean =>
      !message.startsWith(HIDDEN) ||
      'value' in this.ring.decrypt(parsed(message.slice(HIDDEN.length)), ofError(named));
    const plain = this.openRecord(stored);
    if (unreadable(plain.envelope) !== undefined) return undefined;
    return stored.history.every(isReadable) ? this.sealRecord(plain) : undefined;
  }

  openRecord(record: MessageRecord): MessageRecord {
    const { envelope, history, reply } = record;
    const named = { actor: envelope.actor, storageId: record.storageId };
    return {
      ...record,
      envelope: this.open(envelope),
      history: history.map((attempt) => this.openAttempt(named, attempt)),
      ...(reply && { reply: this.ring.open(reply, ofReply(envelope)) }),
    };
  }
}

/** The name of a message in errors' belonging: records of quarantined keys know no more. */
export function namedOf(envelope: Envelope): Named {
  return { actor: envelope.actor, storageId: storageId(envelope) };
}

/** Another id, queue, key, tenant, topic or version, and it is no longer the same message. */
function ofMessage(envelope: Identity): Belonging {
  const { actor, type, id, version, key, tenant, topic } = envelope;
  return ['message', actor, type, id, version, key, tenant, topic];
}

function ofReply({ actor, type, id }: Identity): Belonging {
  return ['reply', actor, type, id];
}

function ofState(actor: string, key: string, { version }: StoredState): Belonging {
  return ['state', actor, key, version];
}

function ofJournal(actor: string, key: string): Belonging {
  return ['journal', actor, key];
}

function ofError({ actor, storageId: id }: Named): Belonging {
  return ['error', actor, id];
}

/** The same with another value. */
function replaced<T extends Envelope | StoredState>(whole: T, { data, types }: Carried): T {
  if (data === whole.data) return whole;
  const { types: _, ...copy } = whole;
  return Object.assign(copy, { data, ...(types !== undefined && { types }) }) as unknown as T;
}

function parsed(text: string): Partial<Encrypted> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Encrypted>;
  } catch {
    return {};
  }
}
