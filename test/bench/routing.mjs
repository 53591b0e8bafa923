// What it costs to know where an event goes: a table of rules and subscriptions as an application may have them, in
// microseconds per event, and the time that it takes to build the table and to compile all filters. Time by the clock and of
// the CPU: the one of a machine that does other things as well is longer.
// Usage: npm run build && node test/bench/routing.mjs [routes] [subscriptions] [events] [seed]
import { compileFilter } from '../../dist/libs/messaging/src/routing/event.filter.js';
import { RoutingTable } from '../../dist/libs/messaging/src/routing/routing.table.js';

const [routes = '10000', subscriptions = '1000', events = '20000', seed = '1'] =
  process.argv.slice(2);

// mulberry32
let state = Number(seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mix = Math.imul(state ^ (state >>> 15), 1 | state);
  mix = (mix + Math.imul(mix ^ (mix >>> 7), 61 | mix)) ^ mix;
  return ((mix ^ (mix >>> 14)) >>> 0) / 2 ** 32;
}
const below = (most) => Math.floor(random() * most);
const one = (of) => of[below(of.length)];

// 500 types of events, in 25 topics of four regions; 2,000 tenants.
const areas = Array.from({ length: 25 }, (_, n) => `area${n}`);
const verbs = Array.from({ length: 20 }, (_, n) => `did${n}`);
const regions = ['eu', 'us', 'asia', 'latam'];
const actors = Array.from({ length: 400 }, (_, n) => `actor-${n}`);
const tiers = ['free', 'pro', 'vip'];

const type = () => `${one(areas)}.${one(verbs)}`;
const pattern = () =>
  one([
    () => `${one(areas)}.${one(regions)}.${one(verbs)}`,
    () => `${one(areas)}.*.${one(verbs)}`,
    () => `${one(areas)}.${one(regions)}.**`,
    () => `**.${one(regions)}.${one(verbs)}`,
  ])();
const filter = () =>
  one([
    () => `data.amount > ${below(5_000)}`,
    () => `data.amount >= ${below(5_000)} && data.currency == 'EUR'`,
    () => `data.tags.exists(t, t == 'tag${below(50)}')`,
    () => `'tag${below(50)}' in data.tags && headers.tier == '${one(tiers)}'`,
    () => `has(data.coupon) && data.coupon.startsWith('C${below(100)}')`,
    () => `data.email.matches('@example${below(100)}[.]org$')`,
    () => `time.getHours('Europe/Madrid') < ${below(24)} && data.items.size() > ${below(5)}`,
    () => `data.items.exists(i, i.price > ${below(500)} && i.sku != 's${below(100)}')`,
  ])();
const receivers = () =>
  random() < 0.1
    ? [{ oneOf: [one(actors), 'spare-a', 'spare-b'], by: one(['load', 'hash']) }]
    : [one(actors)];

function match() {
  const kind = random();
  if (kind < 0.4) return { type: type() };
  if (kind < 0.6) return { type: type(), when: filter() };
  if (kind < 0.75) return { topic: pattern() };
  if (kind < 0.85) return { topic: pattern(), when: filter() };
  if (kind < 0.9) return { type: type(), headers: { tier: one(tiers) } };
  if (kind < 0.95) return { tenant: `t${below(2_000)}`, headers: { tier: one(tiers) } };
  if (kind < 0.99) return { tenant: `t${below(2_000)}`, priority: { max: 50 }, when: filter() };
  return { topic: '**.eu.**', when: filter() };
}

const owners = new Map();
for (let n = 0; n < Number(routes); n += 1) {
  const set = random() < 0.2 ? { set: { priority: 10, headers: { via: `r${n}` } } } : {};
  const route = { id: `r${n}`, order: below(100), match: match(), to: receivers(), ...set };
  owners.set(`route:r${n}`, { revision: 1, route });
}
const wanted = () =>
  one([
    () => ({ type: type() }),
    () => ({ topic: pattern() }),
    () => ({ type: type(), when: filter() }),
  ])();
for (let n = 0; n < Number(subscriptions); n += 1) {
  const owner = `actor:${one(actors)}`;
  owners.set(owner, [...(owners.get(owner) ?? []), wanted()]);
}

const item = () => ({ sku: `s${below(100)}`, price: below(600), count: 1 + below(3) });
const list = (most, make) => Array.from({ length: below(most + 1) }, make);
function event() {
  const [area, verb, region] = [one(areas), one(verbs), one(regions)];
  return {
    type: `${area}.${verb}`,
    topic: `${area}.${region}.${verb}`,
    key: `k${below(10_000)}`,
    data: {
      amount: below(6_000),
      currency: one(['EUR', 'USD']),
      tags: list(4, () => `tag${below(50)}`),
      email: `ada${below(1_000)}@example${below(100)}.org`,
      items: list(5, item),
      ...(random() < 0.3 && { coupon: `C${below(1_000)}` }),
    },
    headers: { tier: one(tiers), source: 'shop' },
    priority: one([1, 10, 100, 1_000]),
    tenant: `t${below(2_000)}`,
    sentAt: Date.now() - below(86_400_000),
  };
}

const print = (name, value) => process.stdout.write(`${name.padEnd(48)}${value}\n`);
const spent = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
const now = () => ({ clock: performance.now(), cpu: spent() });
const ms = ({ clock, cpu }) =>
  `${(performance.now() - clock).toFixed(0)} ms (CPU ${((spent() - cpu) / 1_000).toFixed(0)})`;

let since = now();
const table = new RoutingTable('1', owners);
print(`table of ${routes} rules, ${subscriptions} subscriptions`, ms(since));

const filters = new Set(
  [...owners.values()].flat().flatMap(({ when, route }) => when ?? route?.match.when ?? []),
);
since = now();
for (const expression of filters) compileFilter(expression, 'when');
print(`compile ${filters.size} different filters, one by one`, ms(since));
since = now();
if (new RoutingTable('2', owners).problems.length > 0) throw new Error('no rule should be broken');
print('the next table, with the filters known', ms(since));

const all = Array.from({ length: Number(events) }, event);
const took = [];
const cpu = [];
let reached = 0;
let failed = 0;
for (const [round, given] of [all.slice(0, 2_000), all].entries()) {
  for (const one of given) {
    const from = now();
    const found = table.match(one);
    if (round === 0) continue; // warms up
    cpu.push(spent() - from.cpu);
    took.push((performance.now() - from.clock) * 1_000);
    reached += found.reached.length;
    failed += found.failed.length;
  }
}
const at = (times, part) =>
  times.sort((a, b) => a - b)[Math.floor((times.length - 1) * part)].toFixed(0);
for (const [name, part] of [
  ['p50', 0.5],
  ['p99', 0.99],
  ['longest', 1],
]) {
  print(`event, ${name}`, `${at(took, part)} us (CPU ${at(cpu, part)})`);
}
print('receivers per event', (reached / took.length).toFixed(1));
print('filters that could not say, per event', (failed / took.length).toFixed(1));

const small = event();
for (const expression of [
  'data.amount > 1000',
  "data.tags.exists(t, t == 'tag1')",
  "data.email.matches('@example7[.]org$')",
  "time.getHours('Europe/Madrid') < 9",
  'data.missing > 1',
]) {
  const tested = compileFilter(expression, 'when');
  let best = Infinity;
  for (let round = 0; round < 7; round += 1) {
    const from = performance.now();
    for (let call = 0; call < 5_000; call += 1) tested.test(small);
    best = Math.min(best, (performance.now() - from) / 5);
  }
  print(expression, `${best.toFixed(1)} us`);
}

// What equality helps, what no index helps, and what regexes cost.
const hard = [
  {
    name: 'one type, a customer each',
    match: (n) => ({ type: 'a.b', when: `data.email == 'c${n}' && data.amount > 1` }),
  },
  {
    name: 'one type, a filter each',
    match: (n) => ({ type: 'a.b', when: `data.amount > ${n}.5` }),
  },
  {
    name: 'one type, a span of priorities each',
    match: (n) => ({ type: 'a.b', priority: { min: 1 + n } }),
  },
];
for (const each of hard) {
  const rules = new Map();
  for (let n = 0; n < Number(routes); n += 1) {
    const route = { id: `r${n}`, order: 0, match: each.match(n), to: ['mail'] };
    rules.set(`route:r${n}`, { revision: 1, route });
  }
  const hardTable = new RoutingTable('1', rules);
  for (const turn of ['first', 'next']) {
    since = now();
    hardTable.match({ ...small, type: 'a.b' });
    print(`${each.name}, ${turn} event`, ms(since));
  }
}
const texts = [
  { name: '^(a+)+$, 100,000 characters', pattern: '^(a+)+$', text: `${'a'.repeat(99_999)}!` },
  {
    name: 'states that explode, 20,000 characters',
    pattern: '(a|b)*a(a|b){22}[cd]',
    text: `${Array.from({ length: 20_000 }, () => one(['a', 'b'])).join('')}c`,
  },
];
for (const { name, pattern, text } of texts) {
  const tested = compileFilter(`data.text.matches('${pattern}')`, 'when');
  since = now();
  const { error = 'answered' } = tested.test({ ...small, data: { text } });
  print(name, `${ms(since)}, ${error}`);
}
