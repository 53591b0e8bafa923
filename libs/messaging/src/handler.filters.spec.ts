import {
  Catch,
  ForbiddenException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type ExceptionFilter,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { EMPTY, map, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { Actor, Handle } from './actor.decorators.js';
import { isGuardDenial } from './guard.denial.js';
import { RetryLaterError } from './messaging.errors.js';
import { TurnContext } from './turn.context.js';

import {
  app,
  deposit,
  Deposit,
  handlerOf,
  start,
  turnOf,
} from '../../../test/support/account.application.js';
import { interceptor } from '../../../test/support/recording.enhancers.js';

describe('interceptors', () => {
  it('change the answer, replace the handler, or leave it empty', async () => {
    let answer: (next: CallHandler) => Observable<unknown> = (next) =>
      next.handle().pipe(map((value) => `${String(value)}!`));
    let handled = 0;
    class Switching implements NestInterceptor {
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        return answer(next);
      }
    }
    @UseInterceptors(new Switching())
    @Actor()
    class Account {
      @Handle(Deposit) async deposit(): Promise<string> {
        handled += 1;
        return 'done';
      }
    }
    const run = await start([Account]);
    expect(await run(deposit, turnOf())).toBe('done!');
    answer = () => of('cached');
    expect(await run(deposit, turnOf())).toBe('cached');
    answer = () => EMPTY;
    expect(await run(deposit, turnOf())).toBeUndefined();
    expect(handled).toBe(1);
  });

  it('keep the identity of an error', async () => {
    const error = new Error('no');
    @UseInterceptors(interceptor('any'))
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {
        throw error;
      }
    }
    await expect((await start([Account]))(deposit, turnOf())).rejects.toBe(error);
  });
});

describe('exception filters', () => {
  const error = new RangeError('no');
  async function filtered(answer: (error: unknown) => unknown, type: Type = Error) {
    @Catch(type)
    class Answering implements ExceptionFilter {
      catch(thrown: unknown): unknown {
        return answer(thrown);
      }
    }
    @UseFilters(Answering)
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {
        throw error;
      }
    }
    return start([Account]);
  }

  it('translate by throwing, or by an Observable that errors as in microservices', async () => {
    const other = new RpcException('translated');
    const throwing = await filtered(() => {
      throw other;
    });
    await expect(throwing(deposit, turnOf())).rejects.toBe(other);
    await app?.close();
    const answering = await filtered(() => throwError(() => other));
    await expect(answering(deposit, turnOf())).rejects.toBe(other);
    await app?.close();
    const late = await filtered(async () => Promise.reject(other));
    await expect(late(deposit, turnOf())).rejects.toBe(other);
  });

  it('answer in place of the handler', async () => {
    for (const [answer, value] of [
      [() => 'sorry', 'sorry'],
      [async () => null, null],
      [() => of(1, 2), 2],
      [() => EMPTY, undefined],
    ] as const) {
      const run = await filtered(answer);
      expect(await run(deposit, turnOf())).toBe(value);
      await app?.close();
    }
  });

  it('that return nothing, or catch another class, let the very error go on, and nobody logs it', async () => {
    const log = vi.spyOn(process.stderr, 'write');
    const seen: unknown[] = [];
    for (const answer of [
      (thrown: unknown) => void seen.push(thrown),
      async (thrown: unknown) => void seen.push(thrown),
    ]) {
      const run = await filtered(answer);
      app?.useLogger(['error']);
      await expect(run(deposit, turnOf())).rejects.toBe(error);
      await app?.close();
    }
    expect(seen).toEqual([error, error]);
    const run = await filtered(() => 'never', TypeError);
    app?.useLogger(['error']);
    await expect(run(deposit, turnOf())).rejects.toBe(error);
    expect(log).not.toHaveBeenCalled();
  });

  it('cannot turn a denial into something to retry, unless they say so', async () => {
    let translated: Error = new RpcException('in other words');
    @Catch(ForbiddenException)
    class Translating implements ExceptionFilter {
      catch(): Observable<never> {
        return throwError(() => translated);
      }
    }
    @UseGuards({ canActivate: () => false })
    @UseFilters(Translating)
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {}
    }
    const run = await start([Account]);
    await expect(run(deposit, turnOf())).rejects.toBe(translated);
    expect(isGuardDenial(translated)).toBe(true);
    translated = new RetryLaterError('soon', { after: '1s' });
    await expect(run(deposit, turnOf())).rejects.toBe(translated);
    expect(isGuardDenial(translated)).toBe(false);
  });

  it('see the context that guards see', async () => {
    const hosts: ExecutionContext[] = [];
    @Catch()
    class Looking implements ExceptionFilter {
      catch(_: unknown, host: ExecutionContext): string {
        hosts.push(host);
        return 'seen';
      }
    }
    @UseFilters(new Looking())
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {
        throw error;
      }
    }
    await (
      await start([Account])
    )(deposit, turnOf());
    expect(hosts[0]?.getType()).toBe('rpc');
    expect(hosts[0]?.getClass()).toBe(Account);
    expect(hosts[0]?.getHandler()).toBe(handlerOf(Account));
    expect(hosts[0]?.switchToRpc().getData()).toBe(deposit);
    expect(hosts[0]?.switchToRpc().getContext()).toBeInstanceOf(TurnContext);
  });
});
