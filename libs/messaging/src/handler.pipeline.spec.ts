import {
  ForbiddenException,
  Inject,
  Injectable,
  Module,
  SetMetadata,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentMetadata,
  type CanActivate,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import {
  APP_FILTER,
  APP_GUARD,
  APP_INTERCEPTOR,
  APP_PIPE,
  DiscoveryService,
  ExternalContextCreator,
  Reflector,
} from '@nestjs/core';
import { of, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { Actor, Handle } from './actor.decorators.js';
import { isGuardDenial } from './guard.denial.js';
import { HandlerPipeline, type RunHandler } from './handler.pipeline.js';
import { DeclarationError, TurnUsageError } from './messaging.errors.js';
import { TurnContext } from './turn.context.js';
import type { Turn } from './turn.js';

import {
  app,
  deposit,
  Deposit,
  handlerOf,
  start,
  turnOf,
} from '../../../test/support/account.application.js';
import {
  filter,
  guard,
  interceptor,
  pipe,
  steps,
} from '../../../test/support/recording.enhancers.js';

describe('a handler with nothing around it', () => {
  it('is called directly, with message and turn', async () => {
    @Actor()
    class Account {
      readonly fee = 1;
      @Handle(Deposit) deposit(...given: unknown[]): unknown {
        return [this.fee, ...given];
      }
    }
    const create = vi.spyOn(ExternalContextCreator.prototype, 'create');
    const run = await start([Account]);
    const turn = turnOf();
    const [fee, message, second] = (await run(deposit, turn)) as unknown[];
    expect(fee).toBe(1);
    expect(message).toBe(deposit);
    expect(second).toBe(turn);
    expect(create).not.toHaveBeenCalled();
  });

  it('rejects with the very error that it threw, at once or later', async () => {
    const error = new Error('no');
    let isLate = false;
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): unknown {
        if (isLate) return Promise.reject(error);
        throw error;
      }
    }
    const run = await start([Account]);
    await expect(run(deposit, turnOf())).rejects.toBe(error);
    isLate = true;
    await expect(run(deposit, turnOf())).rejects.toBe(error);
  });

  it('may answer with an Observable: its last value counts', async () => {
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): Observable<number> {
        return of(1, 2, 3);
      }
    }
    expect(await (await start([Account]))(deposit, turnOf())).toBe(3);
  });
});

describe('everything bound', () => {
  it('runs in the order of Nest: guards, interceptors, pipes, each global, class, method; filters inside out', async () => {
    const [OnClass, OnMethod] = [filter('class'), filter('method')];
    @UseGuards(guard('class'))
    @UseInterceptors(interceptor('class'))
    @UsePipes(pipe('class'))
    @UseFilters(OnClass)
    @Actor()
    class Account {
      @UseGuards(guard('method'))
      @UseInterceptors(interceptor('method'))
      @UsePipes(pipe('method'))
      @UseFilters(OnMethod)
      @Handle(Deposit)
      deposit({ amount }: Deposit): number {
        steps.push('handler');
        return amount * 2;
      }
    }
    const run = await start(
      [
        Account,
        { provide: APP_GUARD, useClass: guard('APP') },
        { provide: APP_INTERCEPTOR, useClass: interceptor('APP') },
        { provide: APP_PIPE, useClass: pipe('APP') },
        { provide: APP_FILTER, useClass: filter('APP') },
      ],
      {
        configure: (it) =>
          it
            .useGlobalGuards(new (guard('app'))())
            .useGlobalInterceptors(new (interceptor('app'))())
            .useGlobalPipes(new (pipe('app'))())
            .useGlobalFilters(new (filter('app'))()),
      },
    );
    expect(await run(deposit, turnOf())).toBe(6);
    expect(steps).toEqual([
      ...['APP', 'app', 'class', 'method'].map((at) => `guard ${at}`),
      ...['APP', 'app', 'class', 'method'].map((at) => `before ${at}`),
      ...['APP', 'app', 'class', 'method'].map((at) => `pipe ${at}`),
      'handler',
      ...['method', 'class', 'app', 'APP'].map((at) => `after ${at}`),
    ]);
  });

  for (const at of ['method', 'class', 'APP_FILTER', 'useGlobalFilters'] as const) {
    it(`catches with a filter bound by ${at}`, async () => {
      const Filter = filter(at);
      const none = (): void => undefined;
      const error = new Error('no');
      @(at === 'class' ? UseFilters(Filter) : none)
      @Actor()
      class Account {
        @(at === 'method' ? UseFilters(Filter) : none)
        @Handle(Deposit)
        deposit(): void {
          throw error;
        }
      }
      const run = await start(
        [Account, ...(at === 'APP_FILTER' ? [{ provide: APP_FILTER, useClass: Filter }] : [])],
        { configure: (it) => at === 'useGlobalFilters' && it.useGlobalFilters(new Filter()) },
      );
      await expect(run(deposit, turnOf())).rejects.toBe(error);
      expect(steps).toEqual([`filter ${at}`]);
    });
  }

  it('sees the class, the handler and its metadata, message and context, and that it is rpc', async () => {
    const Role = Reflector.createDecorator<string>();
    const seen: Record<string, unknown> = {};
    @Injectable()
    class Looking implements CanActivate {
      constructor(private readonly reflector: Reflector) {}
      canActivate(context: ExecutionContext): boolean {
        const rpc = context.switchToRpc();
        const turnContext = rpc.getContext<TurnContext>();
        Object.assign(seen, {
          type: context.getType(),
          target: context.getClass(),
          handler: context.getHandler(),
          role: this.reflector.getAllAndOverride(Role, [context.getHandler(), context.getClass()]),
          plain: this.reflector.get('plain', context.getHandler()),
          data: rpc.getData(),
          args: context.getArgs(),
          pattern: turnContext.getPattern(),
          messageType: turnContext.getMessageType(),
          turn: turnContext.getTurn(),
          turns: turnContext.getTurns(),
        });
        return true;
      }
    }
    @Role('nobody')
    @UseGuards(Looking)
    @Actor()
    class Account {
      @Role('teller')
      @SetMetadata('plain', 7)
      @Handle(Deposit)
      deposit(): void {}
    }
    const run = await start([Account]);
    const turn = turnOf();
    await run(deposit, turn);
    expect(seen).toMatchObject({
      type: 'rpc',
      role: 'teller',
      plain: 7,
      pattern: 'account.deposit',
      messageType: 'account.deposit',
    });
    expect(seen.target).toBe(Account);
    expect(seen.handler).toBe(handlerOf(Account));
    expect(seen.data).toBe(deposit);
    expect(seen.turn).toBe(turn);
    expect(seen.turns).toEqual([turn]);
    expect(seen.args).toEqual([deposit, expect.any(TurnContext)]);
  });
});

describe('guards', () => {
  class Deciding implements CanActivate {
    constructor(private readonly decide: () => boolean | Promise<boolean> | Observable<boolean>) {}
    canActivate() {
      return this.decide();
    }
  }
  async function guarded(
    decide: () => boolean | Promise<boolean> | Observable<boolean>,
  ): Promise<{ run: RunHandler; handled: () => number }> {
    let handled = 0;
    @UseGuards(new Deciding(decide))
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {
        handled += 1;
      }
    }
    return { run: await start([Account]), handled: () => handled };
  }

  it.each([
    ['false', () => false],
    ['a promise of false', async () => false],
    ['an Observable of false', () => of(false)],
  ])('that answer %s deny, which is never retried', async (_, decide) => {
    const { run, handled } = await guarded(decide);
    const error: unknown = await run(deposit, turnOf()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ForbiddenException);
    expect(isGuardDenial(error)).toBe(true);
    expect(handled()).toBe(0);
  });

  it('that throw Forbidden or Unauthorized deny too; another error keeps its own fate', async () => {
    const thrown: Error[] = [new UnauthorizedException(), new ForbiddenException(), new Error('x')];
    const { run } = await guarded(() => {
      throw thrown[0]!;
    });
    for (const denial of [true, true, false]) {
      const error: unknown = await run(deposit, turnOf()).catch((caught: unknown) => caught);
      expect(error).toBe(thrown.shift());
      expect(isGuardDenial(error)).toBe(denial);
    }
  });

  it('are not the ones who deny when a handler throws ForbiddenException', async () => {
    @UseGuards(guard('open'))
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {
        throw new ForbiddenException('the bank says no');
      }
    }
    const run = await start([Account]);
    const error: unknown = await run(deposit, turnOf()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ForbiddenException);
    expect(isGuardDenial(error)).toBe(false);
    expect(isGuardDenial(undefined)).toBe(false);
  });

  it('bound as a class to an actor that a factory makes are refused at start, for Nest would not run them', async () => {
    const Teller = guard('teller');
    @UseGuards(Teller)
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {}
    }
    await expect(start([{ provide: Account, useFactory: () => new Account() }])).rejects.toThrow(
      DeclarationError,
    );
    await app?.close();
    await expect(start([{ provide: 'account', useValue: new Account() }])).rejects.toThrow(
      /makes no Recording/,
    );
  });

  it('bound as an instance, or globally, run for actors of a factory and of a value', async () => {
    @UseGuards(new (guard('own'))())
    @Actor()
    class Account {
      constructor(private readonly bonus: number) {}
      @Handle(Deposit) deposit({ amount }: Deposit): number {
        return amount + this.bonus;
      }
    }
    const everywhere = { provide: APP_GUARD, useClass: guard('APP') };
    const made = await start([everywhere, { provide: 'a', useFactory: () => new Account(1) }]);
    expect(await made(deposit, turnOf())).toBe(4);
    await app?.close();
    const given = await start([everywhere, { provide: 'a', useValue: new Account(2) }]);
    expect(await given(deposit, turnOf())).toBe(5);
    expect(steps).toEqual(['guard APP', 'guard own', 'guard APP', 'guard own']);
  });
});

describe('a batch', () => {
  it('goes through as lists: messages as data, all turns in the context', async () => {
    const seen: unknown[] = [];
    const metatypes: unknown[] = [];
    class Looking implements CanActivate, PipeTransform {
      canActivate(context: ExecutionContext): boolean {
        const turnContext = context.switchToRpc().getContext<TurnContext>();
        seen.push(context.switchToRpc().getData(), turnContext.getTurns());
        seen.push(turnContext.getMessageType());
        expect(() => turnContext.getTurn()).toThrow(TurnUsageError);
        return true;
      }
      transform(value: unknown, { metatype }: ArgumentMetadata): unknown {
        metatypes.push(metatype);
        return value;
      }
    }
    const looking = new Looking();
    @UseGuards(looking)
    @UsePipes(looking)
    @Actor()
    class Account {
      @Handle(Deposit, { batch: { max: 10 } })
      deposit(messages: readonly Deposit[], turns: readonly Turn[]): void {
        seen.push(messages, turns);
      }
    }
    const run = await start([Account]);
    const turns = [turnOf(), turnOf()];
    await run([deposit, deposit], turns as unknown as Turn);
    expect(seen).toEqual([[deposit, deposit], turns, 'account.deposit', [deposit, deposit], turns]);
    expect(metatypes).toEqual([Array]);
  });
});

describe('modules', () => {
  it('each have their own enhancers: those of the module that provides the actor run', async () => {
    @Injectable()
    class Name {
      constructor(@Inject('name') readonly name: string) {}
    }
    @Injectable()
    class Naming implements CanActivate {
      constructor(private readonly name: Name) {}
      canActivate(): boolean {
        steps.push(this.name.name);
        return true;
      }
    }
    @UseGuards(Naming)
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): void {}
    }
    @Module({ providers: [Name, { provide: 'name', useValue: 'first' }, Account] })
    class First {}
    @Module({ providers: [Name, { provide: 'name', useValue: 'second' }, Account] })
    class Second {}
    const run = await start([], { imports: [First, Second] });
    await run(deposit, turnOf());
    const actors = app!
      .get(DiscoveryService)
      .getProviders()
      .filter((each) => each.metatype === Account);
    expect(actors).toHaveLength(2);
    for (const wrapper of actors) {
      await app!.get(HandlerPipeline).create(wrapper, 'deposit', Deposit)(deposit, turnOf());
    }
    expect(steps.slice(1)).toEqual(['first', 'second']);
  });

  it('provide an actor under another token, with its enhancers', async () => {
    @UseGuards(guard('own'))
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): string {
        return 'done';
      }
    }
    const run = await start([{ provide: 'account', useClass: Account }]);
    expect(await run(deposit, turnOf())).toBe('done');
    expect(steps).toEqual(['guard own']);
  });
});
