import { Option, type Command } from 'commander';
import { doing, segment } from '../run.js';
import type { Shell } from '../shell.js';
import type { Listed, Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption, reasonOptions } from './options.js';

const COLUMNS: Columns<Shown['Actor']> = [
  ['actor', ({ name }) => name, 'whole'],
  ['state', ({ paused }) => (paused ? `paused: ${paused.reason}` : 'runs')],
  ['waiting', ({ counts }) => counts.waiting],
  ['delayed', ({ counts }) => counts.delayed],
  ['active', ({ counts }) => counts.active],
  ['done', ({ counts }) => counts.done],
  ['dead', ({ counts }) => counts.dead],
  ['messages', ({ messages }) => messages.map(({ type }) => type).join(' ')],
];

/** The API has no pages of them: the first are those that matter. */
const MOST_KEYS = 100;

const KEY_COLUMNS: Columns<Listed<Shown['KeyList']>> = [
  ['key', ({ key }) => key, 'whole'],
  ['depth', ({ depth }) => depth],
  ['since', ({ since }) => since],
  ['quarantined', ({ quarantined }) => (quarantined ? 'yes' : 'no')],
];

/** `actors list|show|pause|resume|keys|key|release`. */
export function addActors(program: Command, shell: Shell): void {
  const group = program
    .command('actors')
    .description('who handles messages, how much waits, and keys');

  group
    .command('list')
    .description('All actors: their state, counts, and what can be sent to them.')
    .action(
      doing<[], object>(shell, async (run) => {
        const { items } = await run.api.get<Shown['ActorList']>('/v1/actors');
        await run.out.list(COLUMNS, items);
      }),
    );

  group
    .command('show')
    .description('An actor: counts, throughput, latency, and JSON Schemas of its messages.')
    .argument('<actor>', 'name of the actor')
    .action(
      doing<[actor: string], object>(shell, async (run, [actor]) => {
        const found = await run.api.get<Shown['Actor']>(`/v1/actors/${segment(actor)}`);
        run.out.fields(found, actorFields(found));
      }),
    );

  reasonOptions(group.command('pause'))
    .description('Stops an actor from taking messages, in all processes. What is sent waits.')
    .argument('<actor>', 'name of the actor')
    .action(
      doing<[actor: string], object>(shell, async (run, [actor]) => {
        const body = { reason: await run.questions.requiredReason() };
        const found = await run.api.post<Shown['Actor']>(
          `/v1/actors/${segment(actor)}/pause`,
          body,
        );
        run.out.show(found, () => `${actor} is paused: ${found.paused?.reason}`);
      }),
    );

  group
    .command('resume')
    .description('Lets a paused actor go on.')
    .argument('<actor>', 'name of the actor')
    .action(
      doing<[actor: string], object>(shell, async (run, [actor]) => {
        const found = await run.api.post<Shown['Actor']>(`/v1/actors/${segment(actor)}/resume`);
        run.out.show(found, () => `${actor} runs`);
      }),
    );

  group
    .command('keys')
    .description('Keys of an actor for which messages wait.')
    .argument('<actor>', 'name of the actor')
    .addOption(
      new Option('--by <order>', 'which first: the oldest message, or the most messages')
        .choices(['age', 'depth'])
        .default('age'),
    )
    .addOption(limitOption(MOST_KEYS))
    .action(
      doing<[actor: string], { by: string; limit: number }>(
        shell,
        async (run, [actor], { by, limit }) => {
          const { items } = await run.api.get<Shown['KeyList']>(
            `/v1/actors/${segment(actor)}/keys`,
            { by, limit },
          );
          await run.out.list(KEY_COLUMNS, items);
        },
      ),
    );

  group
    .command('key')
    .description('A key: its state, what waits for it, and why it stopped.')
    .argument('<actor>', 'name of the actor')
    .argument('<key>', 'the key')
    .action(
      doing<[actor: string, key: string], object>(shell, async (run, [actor, key]) => {
        const found = await run.api.get<object>(
          `/v1/actors/${segment(actor)}/keys/${segment(key)}`,
        );
        run.out.fields(found, Object.entries(found));
      }),
    );

  reasonOptions(group.command('release'))
    .description('Lets a quarantined key go on; the message that stopped it is tried again.')
    .argument('<actor>', 'name of the actor')
    .argument('<key>', 'the key')
    .action(
      doing<[actor: string, key: string], object>(shell, async (run, [actor, key]) => {
        const path = `/v1/actors/${segment(actor)}/keys/${segment(key)}/release`;
        const released = await run.api.post<object>(path, undefined, await run.because());
        run.out.show(released, () => `${key} goes on`);
      }),
    );
}

function actorFields({
  counts,
  latency,
  throughput,
  ...actor
}: Shown['Actor']): [string, unknown][] {
  const seconds = (ms: number) => `${Math.round(ms)} ms`;
  return [
    ['actor', actor.name],
    ['state', actor.paused ? `paused since ${actor.paused.since}: ${actor.paused.reason}` : 'runs'],
    ...Object.entries(counts),
    ['throughput', `${throughput} messages/s`],
    [
      'latency',
      latency &&
        `p50 ${seconds(latency.p50)}, p95 ${seconds(latency.p95)}, p99 ${seconds(latency.p99)}`,
    ],
    ...actor.messages.map(({ type, jsonSchema }): [string, unknown] => [
      type,
      jsonSchema ?? 'any data',
    ]),
  ];
}
