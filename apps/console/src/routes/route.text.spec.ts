import { expect, it } from 'vitest';
import { matchText, receiverText } from './route.text.js';

it('says what a route takes, and who gets it', () => {
  expect(matchText({})).toBe('every event');
  expect(
    matchText({
      topic: 'order.*',
      headers: { region: 'eu' },
      priority: { max: 100 },
      when: 'data.total > 100',
    }),
  ).toBe('topic order.* and header region = eu and priority any to 100 and data.total > 100');
  expect(receiverText('stock')).toBe('stock');
  expect(receiverText({ oneOf: ['a', 'b'], by: 'load' })).toBe('one of a, b by load');
});
