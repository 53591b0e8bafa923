import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Message, type MessageClass } from './message.js';
import { OptionError } from './messaging.errors.js';
import { resolveOptions, type CallsheetOptions } from './messaging.options.js';

class Send extends Message('email.send', z.object({})) {}
const messages = [Send as unknown as MessageClass];

describe('resolveOptions', () => {
  it('has defaults for all', () => {
    const defaults = {
      url: 'pglite:./.callsheet',
      messages: [],
      actors: [],
      shutdownGrace: 20_000,
      idempotencyWindow: 86_400_000,
      keepDone: { age: 86_400_000, count: 10_000 },
      keepDead: { age: Infinity, count: Infinity },
      lockDuration: 60_000,
      consume: true,
    };
    expect(resolveOptions()).toEqual(defaults);
    expect(resolveOptions({})).toEqual(defaults);
    // Others may have what a worker there leaves.
    expect(resolveOptions({ url: 'redis://127.0.0.1:1' }).lockDuration).toBe(5_000);
    expect(resolveOptions({ keepDone: { count: 5 } }).keepDone).toEqual({
      age: 86_400_000,
      count: 5,
    });
  });

  it('keeps what is given, durations in milliseconds', () => {
    expect(
      resolveOptions({
        url: 'memory:',
        messages,
        actors: ['heartbeat'],
        shutdownGrace: 0,
        idempotencyWindow: '1h',
        keepDone: { age: '1m', count: 1 },
        keepDead: { count: 7 },
        lockDuration: '500ms',
      }),
    ).toEqual({
      url: 'memory:',
      messages,
      actors: ['heartbeat'],
      shutdownGrace: 0,
      idempotencyWindow: 3_600_000,
      keepDone: { age: 60_000, count: 1 },
      keepDead: { age: Infinity, count: 7 },
      lockDuration: 500,
      consume: true,
    });
  });

  const BAD_DURATION = `must be milliseconds or a string such as '10s', got`;
  it.each<[unknown, string, string]>([
    [{ redis: 'x' }, 'redis', 'is not an option'],
    [{ URL: 'memory:' }, 'URL', 'is not an option'],
    [{ url: 5 }, 'url', 'must be a string'],
    [{ url: null }, 'url', 'must be a string'],
    [{ messages: [Send, {}] }, 'messages.1', 'must be a class made with Message(...)'],
    [{ messages: [class {}] }, 'messages.0', 'must be a class made with Message(...)'],
    [{ messages: [undefined] }, 'messages.0', 'must be a class made with Message(...)'],
    [{ messages: [new Send({})] }, 'messages.0', 'must be a class made with Message(...)'],
    [{ actors: ['ok', 'No'] }, 'actors.1', 'must match /^[a-z][a-z0-9-]{0,62}$/'],
    [{ shutdownGrace: 'soon' }, 'shutdownGrace', `${BAD_DURATION} "soon"`],
    [{ shutdownGrace: -1 }, 'shutdownGrace', `${BAD_DURATION} -1`],
    [{ idempotencyWindow: '2y' }, 'idempotencyWindow', `${BAD_DURATION} "2y"`],
    [{ keepDone: { count: 0 } }, 'keepDone.count', 'must be a whole number from 1'],
    [{ keepDone: { count: 1.5 } }, 'keepDone.count', 'must be a whole number from 1'],
    [{ keepDone: { age: NaN } }, 'keepDone.age', `${BAD_DURATION} NaN`],
    [{ keepDone: { days: 3 } }, 'keepDone.days', 'is not an option'],
    [{ lockDuration: '499ms' }, 'lockDuration', `must be at least '500ms'`],
  ])('refuses %o', (options, path, problem) => {
    expect(() => resolveOptions(options as CallsheetOptions)).toThrow(
      new OptionError(path, problem),
    );
  });
});
