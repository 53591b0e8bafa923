import type { MessageRecord } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { toMessageView } from './message.view.js';

const record: MessageRecord = {
  storageId: 'orders-1',
  envelope: {
    id: 'orders-1',
    type: 'orders.place',
    version: 1,
    actor: 'orders',
    data: {},
    priority: 100,
    sentAt: 0,
    headers: {},
    tenant: 'acme',
  },
  state: 'done',
  history: [],
  redrives: 0,
  sent: {
    count: 30,
    first: [
      { id: 'a', actor: 'email', tenant: 'acme' },
      { id: 'b', actor: 'email', tenant: 'globex' },
      { id: 'c', actor: 'push' },
    ],
  },
};

describe('the effects of a message', () => {
  it('are all there for who may see all tenants, by id and actor', () => {
    expect(toMessageView(record, {}).effects).toEqual({
      total: 30,
      items: [
        { id: 'a', actor: 'email' },
        { id: 'b', actor: 'email' },
        { id: 'c', actor: 'push' },
      ],
    });
  });

  it('are counted alone where they are of nobody, or another tenant', () => {
    expect(toMessageView(record, {}, 'acme').effects).toEqual({
      total: 30,
      items: [{ id: 'a', actor: 'email' }],
    });
  });

  it('are not there when there are none', () => {
    const { sent: _, ...none } = record;
    expect(toMessageView(none, {}).effects).toBeUndefined();
  });
});
