import type { Turn } from '../turn.js';

/**
 * A turn for calling a handler yourself, without a store: `actor.send(new SendMail(...), testTurn({ attempt: 3 }))`.
 *
 * @param fields what the test is about; the rest is a first attempt without key, at this moment, whose SQL and
 * journal go nowhere
 */
export function testTurn(fields: Partial<Turn> = {}): Turn {
  const id = fields.id ?? 'test-1';
  return {
    id,
    type: 'test.message',
    topic: fields.type ?? 'test.message',
    key: undefined,
    attempt: 1,
    attempts: 5,
    priority: 100,
    sentAt: new Date(),
    now: new Date(),
    deadline: undefined,
    occurrence: undefined,
    headers: {},
    tenant: undefined,
    correlationId: id,
    causationId: undefined,
    traceparent: undefined,
    signal: new AbortController().signal,
    state: undefined,
    sql: async () => undefined,
    journal: () => undefined,
    forget: () => undefined,
    join: (work) => work(),
    ...fields,
  };
}
