// CPU time that the framework adds to a turn, without a store: microseconds per turn, the median of several rounds.
// The last row is the whole of it: checks, parsing, scope, guard, interceptor, outcome, with a commit that does nothing.
// Usage: npm run build && node test/bench/turn.overhead.mjs [turns] [rounds]
import 'reflect-metadata';
import { Module, UseGuards, UseInterceptors } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, NestFactory } from '@nestjs/core';
import { tap } from 'rxjs';
import { z } from 'zod';
import { Actor, Handle, Message } from '../../dist/libs/messaging/src/index.js';
import { exploreActors } from '../../dist/libs/messaging/src/actor.explorer.js';
import { systemClock } from '../../dist/libs/messaging/src/clock.js';
import { HandlerPipeline } from '../../dist/libs/messaging/src/handler.pipeline.js';
import { unobserved } from '../../dist/libs/messaging/src/observer.js';
import { turnRunner } from '../../dist/libs/messaging/src/turn.runner.js';

const [count = '50000', rounds = '7'] = process.argv.slice(2);
const N = Number(count);

const schema = z.object({
  accountId: z.string(),
  amount: z.number().positive(),
  currency: z.enum(['EUR', 'USD']),
  note: z.string().max(200),
  urgent: z.boolean(),
});
const data = { accountId: 'a-1', amount: 10, currency: 'EUR', note: 'rent', urgent: false };
class Deposit extends Message('plain.deposit', schema) {}
class Guarded extends Message('guarded.deposit', schema) {}

let guarded = 0;
let intercepted = 0;
let handled = 0;
class Tenants {
  canActivate(context) {
    guarded += 1;
    return context.switchToRpc().getData().amount > 0;
  }
}
class Counting {
  intercept(_, next) {
    return next.handle().pipe(tap(() => (intercepted += 1)));
  }
}

function actor(message, ...around) {
  class Account {
    async deposit() {
      handled += 1;
    }
  }
  const method = Object.getOwnPropertyDescriptor(Account.prototype, 'deposit');
  Handle(message)(Account.prototype, 'deposit', method);
  for (const decorate of [Actor(), ...around]) decorate(Account);
  return Account;
}
const Plain = actor(Deposit);
const Careful = actor(Guarded, UseGuards(Tenants), UseInterceptors(Counting));

class Bench {}
Module({ imports: [DiscoveryModule], providers: [HandlerPipeline, Plain, Careful] })(Bench);
const app = await NestFactory.createApplicationContext(Bench, { logger: false });
const actors = exploreActors(app.get(DiscoveryService), []);
const pipeline = app.get(HandlerPipeline);

function of(target, message) {
  const { wrapper, retry, supervision } = actors.find((each) => each.target === target);
  const { type } = message.meta;
  const run = pipeline.create(wrapper, 'deposit', message);
  const runner = turnRunner({
    handlers: new Map([[type, { kind: 'handle', message, run }]]),
    retry,
    supervision,
    clock: systemClock,
    random: Math.random,
    observer: unobserved,
  });
  return { type, instance: wrapper.instance, run, runner };
}
const plain = of(Plain, Deposit);
const careful = of(Careful, Guarded);

const signal = new AbortController().signal;
let number = 0;
function deliver({ runner, type }) {
  const startedAt = Date.now();
  const envelope = {
    id: `m${++number}`,
    type,
    actor: type.split('.')[0],
    version: 1,
    data,
    priority: 100,
    sentAt: startedAt,
    headers: {},
  };
  const delivery = { envelope, attempt: 1, crashes: 0, startedAt, isFirst: true, signal };
  return runner(delivery);
}

const message = new Deposit(data);
const turn = { id: 'm', type: Deposit.meta.type, headers: {}, signal };
const rows = {
  'direct call': () => plain.instance.deposit(message, turn),
  'pipeline, nothing bound': () => plain.run(message, turn),
  'pipeline, guard and interceptor': () => careful.run(message, turn),
  'schema alone, five fields': () => schema['~standard'].validate(data),
  'turn, nothing bound': () => deliver(plain),
  'turn, guard, interceptor and five fields': () => deliver(careful),
};

const samples = Object.fromEntries(Object.keys(rows).map((name) => [name, []]));
for (let round = 0; round <= Number(rounds); round++) {
  for (const [name, work] of Object.entries(rows)) {
    const from = process.cpuUsage();
    for (let i = 0; i < N; i++) {
      const outcome = await work();
      if (outcome?.kind && outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
    }
    const { user, system } = process.cpuUsage(from);
    // The first round warms up.
    if (round > 0) samples[name].push((user + system) / N);
  }
}
const turns = 2 * N * (Number(rounds) + 1);
if (guarded !== turns || intercepted !== turns || handled < turns) throw new Error('not all ran');

for (const [name, values] of Object.entries(samples)) {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(`${name.padEnd(42)} ${median.toFixed(2).padStart(7)} us\n`);
}
await app.close();
