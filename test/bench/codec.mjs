// CPU time of the codec and of messages: microseconds per call, the median of several rounds.
// Usage: npm run build && node test/bench/codec.mjs [calls] [rounds]
import SuperJSON from 'superjson';
import { z } from 'zod';
import { decode, encode, violations } from '../../dist/libs/messaging/src/codec.js';
import { Message, carriedOf, openMessage } from '../../dist/libs/messaging/src/message.js';

const [count = '50000', rounds = '7'] = process.argv.slice(2);
const N = Number(count);

const flat = { accountId: 'a-1', amount: 10, currency: 'EUR', note: 'rent', urgent: false };
const rich = { ...flat, at: new Date(0), cents: 12n };
const nested = { orders: Array.from({ length: 50 }, (_, n) => ({ id: `o-${n}`, lines: [n, n] })) };
const long = { text: 'x'.repeat(50_000) };

const Deposit = Message(
  'account.deposit',
  z.object({
    accountId: z.string(),
    amount: z.number().positive(),
    currency: z.enum(['EUR', 'USD']),
    note: z.string().max(200),
    urgent: z.boolean(),
  }),
);
const Dated = Message('account.date', z.object({ at: z.date(), cents: z.bigint() }).loose());
const plainEnvelope = { version: 1, data: flat };
const richEnvelope = { version: 1, ...encode(rich) };
const richText = JSON.stringify(encode(rich));
const message = new Deposit(flat);
const opened = openMessage(Deposit, plainEnvelope);

const text = JSON.stringify({ data: flat });
const superText = SuperJSON.stringify(rich);

const cases = {
  'JSON alone, to text, flat': () => JSON.stringify(flat),
  'JSON alone, from text, flat': () => JSON.parse(text),
  'superjson alone, to text, flat': () => SuperJSON.stringify(flat),
  'superjson alone, to text, rich': () => SuperJSON.stringify(rich),
  'superjson alone, from text, rich': () => SuperJSON.parse(superText),
  'codec, to text, flat': () => JSON.stringify(encode(flat)),
  'codec, from text, flat': () => decode(JSON.parse(text)),
  'codec, to text, rich': () => JSON.stringify(encode(rich)),
  'codec, from text, rich': () => decode(JSON.parse(richText)),
  'check a flat object': () => violations(flat),
  'encode a flat object': () => encode(flat),
  'encode with Date and BigInt': () => encode(rich),
  'encode 50 nested orders': () => encode(nested),
  'encode 50 KB of text': () => encode(long),
  'decode a flat object': () => decode({ data: flat }),
  'decode with Date and BigInt': () => decode(richEnvelope),
  'zod alone, five fields': () => Deposit.meta.schema.parse(flat),
  'make a message, five fields': () => new Deposit(flat),
  'what a new message carries': () => carriedOf(message),
  'what an opened message carries': () => carriedOf(opened),
  'open a message, five fields': () => openMessage(Deposit, plainEnvelope),
  'make a message with Date and BigInt': () => new Dated(rich),
  'open a message with Date and BigInt': () => openMessage(Dated, richEnvelope),
};

for (const [name, run] of Object.entries(cases)) {
  const calls = Math.max(1, Math.round(name.includes('50') ? N / 20 : N));
  const times = Array.from({ length: Number(rounds) + 1 }, () => {
    const start = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) run();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / calls;
  });
  // The first round warms up.
  const [median] = times
    .slice(1)
    .sort((a, b) => a - b)
    .slice(Math.floor(Number(rounds) / 2));
  process.stdout.write(`${name.padEnd(38)}${median.toFixed(2).padStart(9)} us\n`);
}
