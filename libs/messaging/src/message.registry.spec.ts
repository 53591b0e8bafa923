import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Message, type MessageClass } from './message.js';
import { MessageRegistry } from './message.registry.js';
import {
  DeclarationError,
  InvalidMessageError,
  NewerVersionError,
  UnknownMessageError,
} from './messaging.errors.js';

class Send extends Message('email.send', z.object({ to: z.string() })) {}
class Cancel extends Message('email.cancel', z.object({})) {}
class Book extends Message('travel.book', z.object({})) {}
class Move extends Message('travel.move', z.object({ to: z.string(), by: z.string() }), {
  version: 3,
  upcast: {
    1: ({ place, ...rest }) => ({ ...rest, to: place }),
    2: (old) => Object.assign(old, { by: 'train' }),
  },
}) {}
class SendAgain extends Message('email.send', z.object({ to: z.string() })) {}

function registry(messages: readonly unknown[] = [], actors: readonly string[] = []) {
  return new MessageRegistry({ messages: messages as MessageClass[], actors });
}

describe('MessageRegistry', () => {
  it('lists classes as registered and actors sorted, each once', () => {
    const known = registry([Book, Send, Cancel], ['heartbeat', 'email']);
    known.add(Send as unknown as MessageClass);
    known.addActor('audit');
    expect(known.all()).toEqual([Book, Send, Cancel]);
    expect(known.actors()).toEqual(['audit', 'email', 'heartbeat', 'travel']);
  });

  it('refuses a second class of a type, naming both', () => {
    const problem = new DeclarationError(
      "two message classes have the type 'email.send': Send and SendAgain",
    );
    expect(() => registry([Send, SendAgain])).toThrow(problem);
    const known = registry([Send]);
    expect(() => known.add(SendAgain as unknown as MessageClass)).toThrow(problem);
    expect(known.all()).toEqual([Send]);
  });

  it('makes a message by name', () => {
    const message = registry([Send]).create('email.send', { to: 'ada' });
    expect(message).toBeInstanceOf(Send);
    expect(Object.entries(message)).toEqual([['to', 'ada']]);
  });

  it('refuses data that the schema does', () => {
    expect(() => registry([Send]).create('email.send', { to: 5 })).toThrow(InvalidMessageError);
    expect(() => registry([Send]).create('email.send', undefined)).toThrow(InvalidMessageError);
  });

  it('upcasts data that says which version it is of, and leaves the data alone', () => {
    const known = registry([Move]);
    const first = Object.freeze({ place: 'Rome' });
    const second = { to: 'Rome' };
    for (const message of [
      known.create('travel.move', first, 1),
      known.create('travel.move', second, 2),
      known.create('travel.move', { to: 'Rome', by: 'train' }, 3),
      known.create('travel.move', { to: 'Rome', by: 'train' }),
    ]) {
      expect(Object.assign({}, message)).toEqual({ to: 'Rome', by: 'train' });
    }
    expect(second).toEqual({ to: 'Rome' });
  });

  it('takes what JSON cannot say in data of an older version', () => {
    class Meet extends Message('travel.meet', z.object({ at: z.date(), seats: z.bigint() }), {
      version: 2,
      upcast: { 1: (old) => ({ ...old, seats: 2n }) },
    }) {}
    const meet = registry([Meet]).create('travel.meet', { at: new Date(0) }, 1);
    expect(Object.assign({}, meet)).toEqual({ at: new Date(0), seats: 2n });
  });

  it('refuses data of a version that is none, not known yet, or cannot be carried', () => {
    const known = registry([Move]);
    const newer = new NewerVersionError('travel.move', 4, 3);
    expect(() => known.create('travel.move', { to: 'Rome', by: 'train' }, 4)).toThrow(newer);
    for (const version of [0, -1, 1.5, NaN, '2' as never]) {
      const make = () => known.create('travel.move', { to: 'Rome', by: 'train' }, version);
      expect(make).toThrow(InvalidMessageError);
    }
    expect(() => known.create('travel.move', { to: 'Rome' }, 3)).toThrow(InvalidMessageError);
    expect(() => known.create('travel.move', { place: () => 1 }, 1)).toThrow(InvalidMessageError);
    expect(() => known.create('travel.move', 'Rome', 1)).toThrow(InvalidMessageError);
  });

  it.each(['email.receive', 'email', '', '__proto__', 'constructor', 'Email.send'])(
    'does not know %j',
    (type) => {
      expect(() => registry([Send]).create(type, {})).toThrow(new UnknownMessageError(type));
    },
  );
});
