import type { Command } from 'commander';
import { jsonGiven, toHeader, toPriority } from '../given.js';
import { doing, segment } from '../run.js';
import type { Shell } from '../shell.js';
import type { Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption, reasonOptions } from './options.js';

const COLUMNS: Columns<Shown['Route']> = [
  ['id', ({ id }) => id, 'whole'],
  ['order', ({ order }) => order],
  ['match', ({ match }) => match],
  [
    'to',
    ({ to }) =>
      to.map((each) => (typeof each === 'string' ? each : each.oneOf.join('|'))).join(' '),
  ],
  ['state', ({ disabled }) => (disabled ? 'disabled' : 'in force')],
  ['revision', ({ revision }) => revision],
];

/** `routes list|show|put|delete|test`. */
export function addRoutes(program: Command, shell: Shell): void {
  const group = program.command('routes').description('where events go');

  group
    .command('list')
    .description('Stored routes, by id; their order says in which one they are looked at.')
    .addOption(limitOption())
    .action(
      doing<[], { limit: number }>(shell, async (run, _, { limit }) => {
        await run.out.list(COLUMNS, run.api.items<Shown['Route']>('/v1/routes', limit));
      }),
    );

  group
    .command('show')
    .description('A route.')
    .argument('<id>', 'id of the route')
    .action(
      doing<[id: string], object>(shell, async (run, [id]) => {
        const route = await run.api.get<Shown['Route']>(pathOf(id));
        run.out.fields(route, Object.entries(route));
      }),
    );

  reasonOptions(group.command('put'))
    .description('Makes or changes a route.')
    .argument('<id>', 'id of the route')
    .argument(
      '<route>',
      `'{"order":10,"match":{"topic":"orders.**"},"to":["billing"]}', @file, or -`,
    )
    .option('--revision <revision>', 'only if it is still at this one')
    .option('--new', 'only if there is none of that id')
    .action(
      doing<[id: string, route: string], { revision?: string; new?: boolean }>(
        shell,
        async (run, [id, given], options) => {
          const { headers } = await run.because();
          const stored = await run.api.call<Shown['StoredRoute']>('PUT', pathOf(id), {
            body: await jsonGiven(shell, given, 'the route'),
            headers: {
              ...headers,
              'if-match': options.revision && `"${options.revision}"`,
              'if-none-match': options.new ? '*' : undefined,
            },
            // What it has done itself would fail its condition.
            once: options.new || options.revision !== undefined ? false : '',
          });
          run.out.fields(stored, Object.entries(stored));
        },
      ),
    );

  reasonOptions(group.command('delete'))
    .description('Removes a route.')
    .argument('<id>', 'id of the route')
    .option('--revision <revision>', 'only if it is still at this one')
    .action(
      doing<[id: string], { revision?: string }>(shell, async (run, [id], { revision }) => {
        await run.questions.confirm(`delete the route ${id}`);
        const { headers } = await run.because();
        await run.api.remove(pathOf(id), {
          headers: { ...headers, 'if-match': revision && `"${revision}"` },
        });
        run.out.show({ id, state: 'deleted' }, () => `${id} is deleted`);
      }),
    );

  group
    .command('test')
    .description('Says who would get an event, and why. Nothing is sent.')
    .argument('<type>', 'type of the event')
    .argument('[data]', 'JSON object, @file, or -', '{}')
    .option('--topic <topic>', 'default: the type')
    .option('--priority <priority>', 'of the event', toPriority)
    .option('--header <name=value>', 'of the event; may be repeated', toHeader)
    .option('--tenant <tenant>', 'of the event')
    .option('--route <json>', 'as if this one were stored, with its id: JSON, @file')
    .action(
      doing<
        [type: string, data: string],
        {
          topic?: string;
          priority?: string | number;
          header?: object;
          tenant?: string;
          route?: string;
        }
      >(shell, async (run, [type, data], { topic, priority, header, tenant, route }) => {
        const tested = await run.api.post<Shown['RouteTested']>('/v1/routes:test', {
          ...{ type, data: await jsonGiven(shell, data, 'data'), topic, priority, tenant },
          headers: header,
          route: route && (await jsonGiven(shell, route, 'the route')),
        });
        run.out.fields(tested, [
          ['receivers', tested.receivers.map(({ actor }) => actor).join(', ') || 'nobody'],
          ['by', tested.by.map(({ by }) => by).join(', ') || undefined],
          ...[...tested.failed, ...tested.problems].map(({ owner, error }): [string, unknown] => [
            owner,
            error,
          ]),
        ]);
      }),
    );
}

function pathOf(id: string): string {
  return `/v1/routes/${segment(id)}`;
}
