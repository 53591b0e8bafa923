import {
  Inject,
  Injectable,
  Scope,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type Provider,
} from '@nestjs/common';
import {
  APP_GUARD,
  ContextIdFactory,
  DiscoveryModule,
  DiscoveryService,
  REQUEST,
  type ContextId,
  type ContextIdStrategy,
} from '@nestjs/core';
import { CONTEXT, type RequestContext } from '@nestjs/microservices';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Observable } from 'rxjs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Actor, Handle } from './actor.decorators.js';
import { exploreActors } from './actor.explorer.js';
import { isGuardDenial } from './guard.denial.js';
import { HandlerPipeline, type RunHandler } from './handler.pipeline.js';
import { Message } from './message.js';
import { DeclarationError } from './messaging.errors.js';
import { TurnContext } from './turn.context.js';
import type { Turn } from './turn.js';

class Deposit extends Message('account.deposit', z.object({ amount: z.number() })) {}
const deposit = new Deposit({ amount: 3 });

function turnOf(id: string, given: Partial<Turn> = {}): Turn {
  return { id, type: 'account.deposit', headers: {}, ...given } as Turn;
}

let module: TestingModule | undefined;
afterEach(async () => {
  await module?.close();
  module = undefined;
  ContextIdFactory.apply(undefined as never);
});

async function start(providers: Provider[]): Promise<RunHandler> {
  module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    providers: [HandlerPipeline, ...providers],
  }).compile();
  await module.init();
  const [actor] = exploreActors(module.get(DiscoveryService), []);
  if (!actor) throw new Error('no actor');
  return module.get(HandlerPipeline).create(actor.wrapper, 'deposit', Deposit);
}

/** A promise that somebody else resolves. */
function signal(): { promise: Promise<void>; ring: () => void } {
  let ring!: () => void;
  const promise = new Promise<void>((resolve) => (ring = resolve));
  return { promise, ring };
}

describe('a request-scoped actor', () => {
  it('has one instance per turn, shared by nobody, also for turns at the same time', async () => {
    const bothIn = signal();
    let inside = 0;
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Unit {
      readonly number = ++made;
      note = '';
    }
    @Injectable()
    class Ledger {
      constructor(readonly unit: Unit) {}
    }
    @Actor()
    class Account {
      constructor(
        private readonly unit: Unit,
        private readonly ledger: Ledger,
      ) {}
      @Handle(Deposit) async deposit(_: Deposit, turn: Turn): Promise<unknown> {
        this.unit.note = turn.id;
        if (++inside === 2) bothIn.ring();
        await bothIn.promise;
        expect(this.ledger.unit).toBe(this.unit);
        return { number: this.unit.number, note: this.ledger.unit.note };
      }
    }
    const run = await start([Account, Unit, Ledger]);
    expect(made).toBe(0);
    const results = await Promise.all([run(deposit, turnOf('a')), run(deposit, turnOf('b'))]);
    expect(results).toEqual([
      { number: 1, note: 'a' },
      { number: 2, note: 'b' },
    ]);
    expect(await run(deposit, turnOf('c'))).toEqual({ number: 3, note: 'c' });
  });

  it('gets as REQUEST what Nest microservices get: pattern, data and context, with the sender’s headers', async () => {
    let got: RequestContext<Deposit, TurnContext> | undefined;
    let same: unknown;
    let id: unknown;
    @Actor()
    class Account {
      constructor(
        @Inject(REQUEST) readonly request: RequestContext<Deposit, TurnContext>,
        @Inject(CONTEXT) readonly context: unknown,
      ) {}
      @Handle(Deposit) deposit(): void {
        got = this.request;
        same = this.context;
        id = ContextIdFactory.getByRequest(this.request as never);
      }
    }
    const run = await start([Account]);
    const turn = turnOf('a', { headers: { 'x-tenant': 'acme' } });
    await run(deposit, turn);
    expect(got?.getPattern()).toBe('account.deposit');
    expect(got?.getData()).toBe(deposit);
    expect(got?.getContext()).toBeInstanceOf(TurnContext);
    expect(got?.context?.getTurn()).toBe(turn);
    expect(got).toMatchObject({ headers: { 'x-tenant': 'acme' } });
    expect(same).toBe(got);
    expect(ContextIdFactory.getByRequest(got as never)).toBe(id);
  });

  it('has its guards and interceptors per turn, with what they need', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Who {
      constructor(@Inject(REQUEST) readonly request: RequestContext<Deposit, TurnContext>) {}
    }
    const seen: string[] = [];
    @Injectable()
    class Checking implements CanActivate {
      constructor(private readonly who: Who) {}
      canActivate(): boolean {
        const { id } = this.who.request.getContext().getTurn();
        seen.push(`guard ${id}`);
        return id !== 'thief';
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Around implements NestInterceptor {
      constructor(private readonly who: Who) {}
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        seen.push(`around ${this.who.request.getContext().getTurn().id}`);
        return next.handle();
      }
    }
    // The actor itself needs nothing of the turn.
    @UseGuards(Checking)
    @UseInterceptors(Around)
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): string {
        return 'done';
      }
    }
    const run = await start([Account, Who]);
    expect(await run(deposit, turnOf('ada'))).toBe('done');
    const error: unknown = await run(deposit, turnOf('thief')).catch((thrown: unknown) => thrown);
    expect(isGuardDenial(error)).toBe(true);
    expect(seen).toEqual(['guard ada', 'around ada', 'guard thief']);
  });

  it('that cannot be made fails its turn, and the next one is made anew', async () => {
    const error = new Error('no connection');
    let isBroken = true;
    @Injectable({ scope: Scope.REQUEST })
    class Unit {
      constructor() {
        if (isBroken) throw error;
      }
    }
    @Actor()
    class Account {
      constructor(readonly unit: Unit) {}
      @Handle(Deposit) deposit(): boolean {
        return this.unit instanceof Unit;
      }
    }
    const run = await start([Account, Unit]);
    await expect(run(deposit, turnOf('a'))).rejects.toBe(error);
    isBroken = false;
    expect(await run(deposit, turnOf('b'))).toBe(true);
  });

  it('is let go after its turn', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const instances: WeakRef<object>[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Unit {}
    @UseGuards({ canActivate: () => true })
    @Actor()
    class Account {
      constructor(readonly unit: Unit) {
        instances.push(new WeakRef(this), new WeakRef(unit));
      }
      @Handle(Deposit) async deposit(): Promise<void> {}
    }
    const run = await start([Account, Unit]);
    for (let i = 0; i < 100; i++) await run(deposit, turnOf(`t${i}`));
    expect(instances).toHaveLength(200);
    const alive = (): number => instances.filter((each) => each.deref() !== undefined).length;
    // A weak reference holds its target until the task that made it ends.
    for (let round = 0; round < 20 && alive() > 2; round++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      collect();
    }
    expect(alive()).toBeLessThanOrEqual(2);
  });
});

describe('a durable actor', () => {
  /** As in Nest's documentation: one tree of providers per tenant. */
  class PerTenant implements ContextIdStrategy {
    private readonly trees = new Map<string, ContextId>();
    attach(id: ContextId, request: { headers: Record<string, string> }) {
      const tenant = request.headers['x-tenant'] ?? '';
      const tree = this.trees.get(tenant) ?? { id: Math.random() };
      this.trees.set(tenant, tree);
      return {
        resolve: ({ isTreeDurable }: { isTreeDurable: boolean }) => (isTreeDurable ? tree : id),
        payload: { tenant },
      };
    }
  }
  const of = (id: string, tenant: string): Turn => turnOf(id, { headers: { 'x-tenant': tenant } });

  it('has one instance per tenant, which knows the tenant and not the turn', async () => {
    ContextIdFactory.apply(new PerTenant());
    let made = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Connection {
      readonly number = ++made;
      constructor(@Inject(REQUEST) readonly request: { tenant: string; data?: unknown }) {}
    }
    @Actor()
    class Account {
      constructor(private readonly connection: Connection) {}
      @Handle(Deposit) deposit(): unknown {
        const { number, request } = this.connection;
        return [number, request.tenant, request.data];
      }
    }
    const run = await start([Account, Connection]);
    expect(await run(deposit, of('a', 'acme'))).toEqual([1, 'acme', undefined]);
    expect(await run(deposit, of('b', 'acme'))).toEqual([1, 'acme', undefined]);
    expect(await run(deposit, of('c', 'other'))).toEqual([2, 'other', undefined]);
    expect(await run(deposit, of('d', 'acme'))).toEqual([1, 'acme', undefined]);
  });

  it('never holds the request of the turn that made it, when the strategy has no payload for it', async () => {
    const tree = ContextIdFactory.create();
    ContextIdFactory.apply({
      attach:
        (id) =>
        ({ isTreeDurable }) =>
          isTreeDurable ? tree : id,
    });
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Connection {
      constructor(@Inject(REQUEST) readonly request: unknown) {}
    }
    @Actor()
    class Account {
      constructor(private readonly connection: Connection) {}
      @Handle(Deposit) deposit(): unknown {
        return this.connection.request;
      }
    }
    const run = await start([Account, Connection]);
    expect(await run(deposit, turnOf('a'))).toBeUndefined();
  });

  it('and providers of the turn live together: the request has the payload too', async () => {
    ContextIdFactory.apply(new PerTenant());
    let connections = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Connection {
      readonly number = ++connections;
    }
    @Injectable({ scope: Scope.REQUEST })
    class Unit {
      constructor(@Inject(REQUEST) readonly request: { tenant: string; data: Deposit }) {}
    }
    @Actor()
    class Account {
      constructor(
        private readonly connection: Connection,
        private readonly unit: Unit,
      ) {}
      @Handle(Deposit) deposit(): unknown {
        return [this.connection.number, this.unit.request.tenant, this.unit.request.data];
      }
    }
    const run = await start([Account, Connection, Unit]);
    const other = new Deposit({ amount: 9 });
    expect(await run(deposit, of('a', 'acme'))).toEqual([1, 'acme', deposit]);
    expect(await run(other, of('b', 'acme'))).toEqual([1, 'acme', other]);
  });

  it('cannot have batches, which may hold messages of several tenants', async () => {
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Connection {}
    @Actor()
    class Account {
      constructor(readonly connection: Connection) {}
      @Handle(Deposit, { batch: { max: 5 } }) deposit(): void {}
    }
    await expect(start([Account, Connection])).rejects.toThrow(DeclarationError);
  });
});

describe('scopes of what is around an actor', () => {
  it('transient dependencies and enhancers are made once for a static actor', async () => {
    let made = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Tool {
      readonly number = ++made;
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Checking implements CanActivate {
      constructor(readonly tool: Tool) {}
      canActivate(): boolean {
        return this.tool.number > 0;
      }
    }
    @UseGuards(Checking)
    @Actor()
    class Account {
      constructor(private readonly tool: Tool) {}
      @Handle(Deposit) deposit(): number {
        return this.tool.number;
      }
    }
    const run = await start([Account, Tool]);
    const atStart = made;
    const first = await run(deposit, turnOf('a'));
    expect(await run(deposit, turnOf('b'))).toBe(first);
    expect(made).toBe(atStart);
  });

  it('a request-scoped global guard runs for an actor that is not, and per turn', async () => {
    const seen: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Everywhere implements CanActivate {
      constructor(@Inject(REQUEST) readonly request: RequestContext<Deposit, TurnContext>) {}
      canActivate(): boolean {
        seen.push(this.request.getContext().getTurn().id);
        return true;
      }
    }
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): string {
        return 'done';
      }
    }
    const everywhere = { provide: APP_GUARD, useClass: Everywhere };
    const run = await start([Account, everywhere]);
    expect(await run(deposit, turnOf('a'))).toBe('done');
    expect(await run(deposit, turnOf('b'))).toBe('done');
    expect(seen).toEqual(['a', 'b']);
    await module?.close();
    const made = await start([
      { provide: Account, useFactory: () => new Account() },
      everywhere,
    ] as Provider[]);
    await made(deposit, turnOf('c'));
    expect(seen).toEqual(['a', 'b', 'c']);
    await module?.close();
    // Nest cannot make it for a value: that must not pass in silence.
    await expect(
      start([{ provide: Account, useValue: new Account() }, everywhere]),
    ).rejects.toThrow(DeclarationError);
  });

  it('a transient global guard runs, or the start fails', async () => {
    let calls = 0;
    @Injectable({ scope: Scope.TRANSIENT })
    class Everywhere implements CanActivate {
      private readonly isMade = true;
      canActivate(): boolean {
        calls += 1;
        return this.isMade;
      }
    }
    @Actor()
    class Account {
      @Handle(Deposit) deposit(): string {
        return 'done';
      }
    }
    // The mark that Nest's own entry classes (resolvers, gateways) carry: their transient enhancers are made at start.
    Reflect.defineMetadata('__entryProvider__', true, Account);
    const everywhere = { provide: APP_GUARD, useClass: Everywhere };
    const run = await start([Account, everywhere]);
    expect(await run(deposit, turnOf('a'))).toBe('done');
    expect(calls).toBe(1);
    await module?.close();
    await expect(
      start([{ provide: 'account', useFactory: () => new Account() }, everywhere]),
    ).rejects.toThrow(/cannot make the transient Everywhere/);
  });
});
