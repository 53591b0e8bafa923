import { Option, type Command } from 'commander';
import { argument } from '../output.js';
import { doing, segment } from '../run.js';
import type { Shell } from '../shell.js';
import type { Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption, reasonOptions } from './options.js';

interface Filters {
  limit: number;
  find?: string;
  state?: string;
  key?: string;
  type?: string;
}

const STATES = ['waiting', 'delayed', 'parked', 'active', 'done', 'dead', 'cancelled'];

const COLUMNS: Columns<Shown['Message']> = [
  ['id', ({ id }) => id, 'whole'],
  ['type', ({ type }) => type],
  ['state', ({ state }) => state],
  ['key', ({ key }) => key],
  ['failures', ({ attempts }) => attempts.length],
  ['left', ({ attemptsLeft }) => attemptsLeft],
  ['next', ({ nextAttemptAt }) => nextAttemptAt],
  ['sent', ({ sentAt }) => sentAt],
  ['error', ({ error, attempts }) => error ?? attempts.at(-1)?.error.message],
];

/** `messages list|show|cancel`. */
export function addMessages(program: Command, shell: Shell): void {
  const group = program.command('messages').description('what was sent, and what became of it');

  group
    .command('list')
    .description('Messages of an actor, by state; with --find those with a value, sent last first.')
    .argument('[actor]', 'name of the actor: the part of the type before the dot')
    .option('--find <query>', 'only those with a value in their data: data.<field>:<value>')
    .addOption(new Option('--state <state>', 'only those').choices(STATES))
    .option('--key <key>', 'only those of this key')
    .option('--type <type>', 'only those of this type')
    .addOption(limitOption())
    .action(
      doing<[actor?: string], Filters>(shell, async (run, [actor], options) => {
        const { limit, find, state, key, type } = options;
        const query = { actor, q: find, state, key, type };
        await run.out.list(COLUMNS, run.api.items<Shown['Message']>('/v1/messages', limit, query));
      }),
    );

  group
    .command('show')
    .description('A message: its state, each failed attempt with its error, its data.')
    .argument('<id>', 'id of the message')
    .action(
      doing<[id: string], object>(shell, async (run, [id]) => {
        const message = await run.api.get<Shown['Message']>(`/v1/messages/${segment(id)}`);
        run.out.fields(message, messageFields(message));
        if (message.state === 'dead') {
          run.out.note(`try it again with: callsheet dead-letters redrive ${argument(message.id)}`);
        }
      }),
    );

  reasonOptions(group.command('cancel'))
    .description('Cancels a message that has not ended; one in work is told to stop.')
    .argument('<id>', 'id of the message')
    .action(
      doing<[id: string], object>(shell, async (run, [id]) => {
        await run.questions.confirm(`cancel the message ${id}`);
        const cancelled = await run.api.call<Shown['Cancelled']>(
          'DELETE',
          `/v1/messages/${segment(id)}`,
          { ...(await run.because()), once: '' },
        );
        run.out.fields(cancelled, Object.entries(cancelled));
      }),
    );
}

/** What a person is shown of a message, what matters most first. */
export function messageFields(message: Shown['Message']): [string, unknown][] {
  const { attempts } = message;
  const last = attempts.at(-1)?.error;
  return [
    ...Object.entries(message).filter(
      ([name]) => !['attempts', 'data', 'effects', 'headers', 'error'].includes(name),
    ),
    ['effects', message.effects && effectsText(message.effects)],
    ['error', message.error],
    ...(Object.keys(message.headers).length > 0
      ? [['headers', message.headers] satisfies [string, unknown]]
      : []),
    ['data', message.data],
    ...attempts.map(({ attempt, startedAt, error }): [string, unknown] => [
      `attempt ${attempt}`,
      `${startedAt}  ${error.name}: ${error.message}${error.code === undefined ? '' : ` (${error.code})`}`,
    ]),
    ['stack', last?.stack],
  ];
}

function effectsText({ total, items }: NonNullable<Shown['Message']['effects']>): string {
  const more = total > items.length ? `, and ${total - items.length} more` : '';
  return items.map(({ id }) => id).join(', ') + more;
}
