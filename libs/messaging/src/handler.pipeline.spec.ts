import {
  Body,
  Catch,
  ForbiddenException,
  Inject,
  Injectable,
  Module,
  SetMetadata,
  StandardSchemaValidationPipe,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  createParamDecorator,
  type ArgumentMetadata,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type ExceptionFilter,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  type Type,
} from '@nestjs/common';
import {
  APP_FILTER,
  APP_GUARD,
  APP_INTERCEPTOR,
  APP_PIPE,
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  Reflector,
} from '@nestjs/core';
import { Ctx, Payload, RpcException } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { EMPTY, map, of, tap, throwError, type Observable } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import { exploreActors } from './actor.explorer.js';
import { isGuardDenial } from './guard.denial.js';
import { HandlerPipeline, type RunHandler } from './handler.pipeline.js';
import { Message } from './message.js';
import { DeclarationError, RetryLaterError, TurnUsageError } from './messaging.errors.js';
import { testTurn } from './testing/test.turn.js';
import { TurnContext } from './turn.context.js';
import type { Turn } from './turn.js';

class Deposit extends Message('account.deposit', z.object({ amount: z.number() })) {}
const deposit = new Deposit({ amount: 3 });

let count = 0;
function turnOf(given: Partial<Turn> = {}): Turn {
  return testTurn({ id: `m${++count}`, type: 'account.deposit', ...given });
}

let app: NestFastifyApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
  vi.restoreAllMocks();
});

/** Starts a real application and makes what runs `method` of the one actor in it, as the framework does at start. */
async function start(
  providers: Provider[],
  {
    imports = [],
    method = 'deposit',
    configure,
  }: {
    imports?: Type[];
    method?: string;
    configure?: (app: NestFastifyApplication) => void;
  } = {},
): Promise<RunHandler> {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule, ...imports],
    providers: [HandlerPipeline, ...providers],
  }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    logger: false,
  });
  configure?.(app);
  await app.init();
  const [actor] = exploreActors(app.get(DiscoveryService), []);
  if (!actor) throw new Error('no actor');
  const { message } = [...actor.handlers.values()].find((each) => each.method === method)!;
  return app.get(HandlerPipeline).create(actor.wrapper, method, message);
}

/** The method itself, as Nest hands it to enhancers. */
function handlerOf({ prototype }: Type): unknown {
  return (prototype as { deposit: unknown }).deposit;
}

const steps: unknown[] = [];

function guard(name: string): Type<CanActivate> {
  @Injectable()
  class Recording implements CanActivate {
    canActivate(): boolean {
      steps.push(`guard ${name}`);
      return true;
    }
  }
  return Recording;
}

function interceptor(name: string): Type<NestInterceptor> {
  @Injectable()
  class Recording implements NestInterceptor {
    intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
      steps.push(`before ${name}`);
      return next.handle().pipe(tap(() => steps.push(`after ${name}`)));
    }
  }
  return Recording;
}

function pipe(name: string): Type<PipeTransform> {
  @Injectable()
  class Recording implements PipeTransform {
    transform(value: unknown): unknown {
      steps.push(`pipe ${name}`);
      return value;
    }
  }
  return Recording;
}

function filter(name: string): Type<ExceptionFilter> {
  @Catch()
  class Recording implements ExceptionFilter {
    catch(error: unknown): never {
      steps.push(`filter ${name}`);
      throw error;
    }
  }
  return Recording;
}

afterEach(() => {
  steps.length = 0;
});

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

describe('pipes', () => {
  it('get the message as the body it is, and what they return goes on; the turn stays itself', async () => {
    const metadata: ArgumentMetadata[] = [];
    class Copying implements PipeTransform {
      transform(value: object, given: ArgumentMetadata): object {
        metadata.push(given);
        return { ...value, by: 'pipe' };
      }
    }
    @UsePipes(new Copying())
    @Actor()
    class Account {
      @Handle(Deposit) deposit(message: Deposit, turn: Turn): unknown {
        return [message, turn];
      }
    }
    const run = await start([Account]);
    const turn = turnOf();
    const [message, second] = (await run(deposit, turn)) as unknown[];
    expect(message).toEqual({ amount: 3, by: 'pipe' });
    expect(second).toBe(turn);
    expect(metadata).toEqual([{ type: 'body', metatype: Deposit, data: undefined }]);
  });

  it('that refuse the message fail the turn with their error', async () => {
    const error = new Error('too much');
    class Limit implements PipeTransform {
      transform({ amount }: Deposit): never {
        expect(amount).toBe(3);
        throw error;
      }
    }
    @Actor()
    class Account {
      @UsePipes(new Limit())
      @Handle(Deposit)
      deposit(): void {}
    }
    await expect((await start([Account]))(deposit, turnOf())).rejects.toBe(error);
  });

  it('of an HTTP application, ValidationPipe among them, let messages through', async () => {
    const loaded: string[] = [];
    /** As the real one does with class-transformer: `new metatype()`, before it looks at anything. */
    class Constructing extends ValidationPipe {
      protected override loadValidator(): never {
        return { validate: () => [] } as never;
      }
      protected override loadTransformer(): never {
        const plainToInstance = (type: Type, value: object): object => {
          loaded.push(type.name);
          return Object.assign(new type() as object, value);
        };
        return { plainToInstance, plainToClass: plainToInstance } as never;
      }
    }
    class Slip {
      amount?: number;
    }
    @Actor()
    class Account {
      @Handle(Deposit) deposit(message: Deposit): Deposit {
        return message;
      }
    }
    const configure = (it: NestFastifyApplication): unknown =>
      it.useGlobalPipes(
        new Constructing({ transform: true, whitelist: true }),
        new StandardSchemaValidationPipe(),
      );
    const run = await start([Account], { configure });
    expect(await run(deposit, turnOf())).toBe(deposit);
    expect(loaded).toEqual([]);
    await app?.close();
    @Actor()
    class Converting {
      @Handle(Deposit) deposit(@Payload() slip: Slip): Slip {
        return slip;
      }
    }
    const slip = await (await start([Converting], { configure }))(deposit, turnOf());
    expect(slip).toBeInstanceOf(Slip);
    expect(loaded).toEqual(['Slip']);
  });
});

describe('parameter decorators', () => {
  // Its type asks for message and turn as the first parameters.
  const HandleDecorated = Handle(Deposit) as MethodDecorator;

  it('of @nestjs/microservices, @nestjs/common and the user give message, fields and context', async () => {
    const Tenant = createParamDecorator(
      (suffix: string, context: ExecutionContext) =>
        context.switchToRpc().getContext<TurnContext>().getTurn().tenant + suffix,
    );
    class Doubling implements PipeTransform {
      transform(value: number): number {
        return value * 2;
      }
    }
    @Actor()
    class Account {
      @HandleDecorated
      deposit(
        @Ctx() context: TurnContext,
        @Payload() message: Deposit,
        @Payload('amount', new Doubling()) amount: number,
        @Tenant('!') tenant: string,
        @Body() body: Deposit,
      ): unknown {
        return { context, message, amount, tenant, body };
      }
    }
    const turn = turnOf({ tenant: 'acme' });
    const got = (await (await start([Account]))(deposit, turn)) as Record<string, unknown>;
    expect(got).toMatchObject({ amount: 6, tenant: 'acme!' });
    expect((got.context as TurnContext).getTurn()).toBe(turn);
    expect(got.message).toBe(deposit);
    expect(got.body).toBe(deposit);
  });

  it('keep pipes bound to the handler away from @Ctx(), which a copy would cut off', async () => {
    class Copying implements PipeTransform {
      transform(value: object): object {
        return { ...value };
      }
    }
    @UsePipes(new Copying())
    @Actor()
    class Account {
      @HandleDecorated deposit(@Payload() message: Deposit, @Ctx() context: TurnContext): unknown {
        return [message, context];
      }
    }
    const [message, context] = (await (await start([Account]))(deposit, turnOf())) as unknown[];
    expect(message).not.toBe(deposit);
    expect(context).toBeInstanceOf(TurnContext);
  });

  it('leave the turn to a second parameter without one', async () => {
    @Actor()
    class Account {
      @HandleDecorated deposit(@Payload('amount') amount: number, turn: Turn): unknown {
        return [amount, turn.id];
      }
    }
    const turn = turnOf();
    const run = await start([Account]);
    expect(await run(deposit, turn)).toEqual([3, turn.id]);
  });
});

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
