import type { JsonObject } from '../../libs/messaging/src/json.js';
import type { RoutedEvent } from '../../libs/messaging/src/routing/route.js';

/** Data with values of every kind that filters meet. */
export const DATA: JsonObject = {
  amount: 1_500,
  half: 2.5,
  n: 3,
  name: 'abcz',
  nothing: null,
  list: [3, 1, 2],
  tags: ['new', 'vip'],
  items: [
    { sku: 'x', price: 10, ok: true },
    { sku: 'y', price: 20, ok: false },
  ],
  address: { city: 'Cádiz', lines: [] },
  flag: true,
  'odd key': 1,
  $typeName: 'google.protobuf.Duration',
};

export const EVENT: RoutedEvent = {
  type: 'orders.created',
  topic: 'orders.eu.created',
  key: 'o-1',
  data: DATA,
  headers: { region: 'eu', 'x-trace': '7' },
  priority: 10,
  tenant: 'acme',
  sentAt: Date.parse('2026-07-01T06:30:15.250Z'),
};
