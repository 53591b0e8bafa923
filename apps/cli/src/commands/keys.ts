import { Argument, Option, type Command } from 'commander';
import { toList } from '../given.js';
import { doing, reasonHeader, segment, type Run } from '../run.js';
import type { Shell } from '../shell.js';
import type { Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { reasonOptions } from './options.js';

const COLUMNS: Columns<Shown['ApiKey']> = [
  ['id', ({ id }) => id, 'whole'],
  ['role', ({ role }) => role],
  ['name', ({ name }) => name],
  ['tenant', ({ tenant }) => tenant],
  ['expires', ({ expiresAt }) => expiresAt ?? 'never'],
  ['permissions', ({ permissions }) => permissions?.join(',') ?? 'all'],
];

/** `keys list|create|rotate|revoke`: API keys. A secret is shown when it is made, and never again. */
export function addKeys(program: Command, shell: Shell): void {
  const group = program.command('keys').description('API keys: who may do what');

  group
    .command('list')
    .description('All API keys; their secrets nobody has but their holders.')
    .action(
      doing<[], object>(shell, async (run) => {
        const { items } = await run.api.get<Shown['ApiKeyList']>('/v1/api-keys');
        await run.out.list(COLUMNS, items);
      }),
    );

  group
    .command('create')
    .description('Makes an API key, and writes it to standard output, this once.')
    .argument('<name>', 'whose it is')
    .addArgument(new Argument('<role>').choices(['viewer', 'operator', 'admin']))
    .option('--expires <duration>', "holds so long: '90d'")
    .option('--tenant <tenant>', 'for messages of this tenant only')
    .addOption(
      new Option(
        '--permission <permission>',
        'less than the role has: only this; may be repeated',
      ).argParser(toList),
    )
    .option('--reason <text>', 'why, for the audit log')
    .action(
      doing<
        [name: string, role: string],
        { expires?: string; tenant?: string; permission?: string[]; reason?: string }
      >(shell, async (run, [name, role], { expires, tenant, permission, reason }) => {
        const body = { name, role, tenant, expiresIn: expires, permissions: permission };
        made(run, await run.api.post('/v1/api-keys', body, call(reason)));
      }),
    );

  group
    .command('rotate')
    .description('Gives a key another secret; the one before holds a while longer.')
    .argument('<id>', 'id of the key')
    .option('--overlap <duration>', "how long the one before holds: '1h'; 0 when it is out")
    .option('--reason <text>', 'why, for the audit log')
    .action(
      doing<[id: string], { overlap?: string; reason?: string }>(
        shell,
        async (run, [id], { overlap, reason }) => {
          const given = overlap !== undefined && /^\d+$/.test(overlap) ? Number(overlap) : overlap;
          const path = `/v1/api-keys/${segment(id)}/rotate`;
          made(run, await run.api.post(path, { overlap: given }, call(reason)));
        },
      ),
    );

  reasonOptions(group.command('revoke'))
    .description('Ends a key: who has it is refused within a second.')
    .argument('<id>', 'id of the key')
    .action(
      doing<[id: string], object>(shell, async (run, [id]) => {
        await run.questions.confirm(`revoke the key ${id}`);
        await run.api.remove(`/v1/api-keys/${segment(id)}`, await run.because());
        run.out.show({ id, state: 'revoked' }, () => `${id} is revoked`);
      }),
    );
}

/** The answer has a secret that is kept nowhere: asking again would make another. */
function call(reason: string | undefined): { once: false; headers: { 'x-reason'?: string } } {
  return { once: false, headers: reasonHeader(reason) };
}

/** The key alone on standard output, so that it can be put where it belongs. */
function made(run: Run, made: Shown['NewApiKey']): void {
  const until = made.expiresAt === undefined ? 'until it is revoked' : `until ${made.expiresAt}`;
  run.out.note(`key ${made.id}, holds ${until}; it is shown this once:`);
  run.out.show(made, () => made.key);
}
