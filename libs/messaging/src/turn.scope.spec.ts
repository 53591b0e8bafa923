import { describe, expect, it } from 'vitest';
import type { Delivery } from './engine.js';
import type { Envelope } from './envelope.js';
import { TurnEndedError, TurnUsageError } from './messaging.errors.js';
import { testTurn } from './testing/test.turn.js';
import {
  currentScope,
  currentTurn,
  isInTurn,
  outsideTurn,
  runBatch,
  TurnScope,
} from './turn.scope.js';

const delivery = {} as Delivery;
const mail = (id: string) => ({ id, type: 'mail.send' }) as unknown as Envelope;

function scopeOf(id: string, isRead = false): TurnScope {
  return new TurnScope(delivery, testTurn({ id }), isRead);
}

describe('the turn in which code runs', () => {
  it('is none outside of handlers', () => {
    expect(currentTurn()).toBeUndefined();
    expect(currentScope()).toBeUndefined();
    expect(isInTurn()).toBe(false);
  });

  it('is found from whatever the handler calls and awaits, each its own', async () => {
    const seen = async (id: string): Promise<string | undefined> => {
      const scope = scopeOf(id);
      return scope.run(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        expect(currentScope()).toBe(scope);
        return currentTurn()?.id;
      });
    };
    expect(await Promise.all([seen('a'), seen('b')])).toEqual(['a', 'b']);
    expect(isInTurn()).toBe(false);
  });

  it('is left by outsideTurn, and is there again after it', () => {
    scopeOf('a').run(() => {
      outsideTurn(() => {
        expect(isInTurn()).toBe(false);
        expect(currentTurn()).toBeUndefined();
        expect(currentScope()).toBeUndefined();
      });
      expect(currentTurn()?.id).toBe('a');
    });
  });

  it('cannot be told in a batch, but code runs in one', () => {
    runBatch(() => {
      expect(isInTurn()).toBe(true);
      expect(currentTurn()).toBeUndefined();
      expect(currentScope).toThrow(TurnUsageError);
      scopeOf('a').run(() => expect(currentTurn()?.id).toBe('a'));
      outsideTurn(() => expect(currentScope()).toBeUndefined());
    });
  });
});

describe('what joins a turn', () => {
  it('is kept in order', async () => {
    const scope = scopeOf('a');
    await scope.join([mail('1'), mail('2')]);
    await scope.join([mail('3')]);
    expect(scope.sends.map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('is there before the send is awaited, and a checkpoint is passed then', async () => {
    let free = (): void => undefined;
    const steps: string[] = [];
    const scope = new TurnScope(delivery, testTurn(), false, (step) => {
      steps.push(step);
      return new Promise((resolve) => (free = resolve));
    });
    const joined = scope.join([mail('1')]);
    expect(scope.sends).toHaveLength(1);
    expect(steps).toEqual(['send']);
    free();
    await joined;
  });

  it('is refused when the turn is over', async () => {
    const scope = scopeOf('a');
    await scope.join([mail('1')]);
    scope.close();
    await expect(scope.join([mail('2')])).rejects.toThrow(TurnEndedError);
    expect(() => scope.require()).toThrow(TurnEndedError);
    expect(scope.sends).toHaveLength(1);
  });

  it('is refused when the handler only reads', async () => {
    const scope = scopeOf('a', true);
    await expect(scope.join([mail('1')])).rejects.toThrow(TurnUsageError);
    expect(scope.sends).toEqual([]);
  });

  it('is at most 10,000 messages, and what goes beyond is refused whole', async () => {
    const scope = scopeOf('a');
    const many = Array.from({ length: 9_999 }, (_, n) => mail(String(n)));
    await scope.join(many);
    await expect(scope.join([mail('x'), mail('y')])).rejects.toThrow(TurnUsageError);
    expect(scope.sends).toHaveLength(9_999);
    await scope.join([mail('x')]);
    expect(scope.sends).toHaveLength(10_000);
  });
});
