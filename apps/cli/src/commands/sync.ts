import type { Command } from 'commander';
import { toJson } from '../given.js';
import { doing, segment } from '../run.js';
import type { Shell } from '../shell.js';
import type { Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption, reasonOptions } from './options.js';

const COLUMNS: Columns<Shown['Pipeline']> = [
  ['pipeline', ({ name }) => name, 'whole'],
  ['state', ({ state }) => state],
  ['lag', ({ lag }) => (lag === undefined ? undefined : `${Math.round(lag / 1_000)} s`)],
  ['rows', ({ rows }) => rows],
  ['rows/s', ({ rate }) => rate],
  ['bad', ({ bad }) => bad],
  ['errors', ({ errors }) => errors],
  ['cursor', ({ cursor }) => cursor],
  ['problem', ({ failure, pause }) => failure?.message ?? pause?.reason],
];

/** `sync list|show|run|pause|resume|backfill|reset`. */
export function addSync(program: Command, shell: Shell): void {
  const group = program
    .command('sync')
    .description('data sync pipelines: cursor, lag, rows, errors');

  group
    .command('list')
    .description('All pipelines.')
    .option('--troubled', 'only those whose page has failed, or was given up')
    .addOption(limitOption())
    .action(
      doing<[], { limit: number; troubled?: boolean }>(shell, async (run, _, options) => {
        const { limit, troubled } = options;
        const found = run.api.items<Shown['Pipeline']>('/v1/sync', limit, {
          troubled: troubled ? 'true' : undefined,
        });
        await run.out.list(COLUMNS, found);
      }),
    );

  onPipeline(group, 'show', 'A pipeline: where it stands, how fast it is, what went wrong.').action(
    doing<[name: string], object>(shell, async (run, [name]) => {
      const found = await run.api.get<Shown['Pipeline']>(pathOf(name));
      run.out.fields(
        found,
        Object.entries(found).map(([field, value]) =>
          field === 'lag' ? ['lag', `${Math.round(value as number)} ms`] : [field, value],
        ),
      );
    }),
  );

  onPipeline(group, 'run', 'Begins a run now.').action(
    doing<[name: string], object>(shell, async (run, [name]) => {
      const begun = await run.api.post<object>(`${pathOf(name)}/run`);
      run.out.fields(begun, Object.entries(begun));
    }),
  );

  reasonOptions(onPipeline(group, 'pause', 'Stops it after the page in work.')).action(
    doing<[name: string], object>(shell, async (run, [name]) => {
      const body = { reason: await run.questions.requiredReason() };
      const found = await run.api.post<Shown['Pipeline']>(`${pathOf(name)}/pause`, body);
      run.out.show(found, () => `${name} is paused: ${found.pause?.reason}`);
    }),
  );

  onPipeline(group, 'resume', 'Lets a paused pipeline go on.').action(
    doing<[name: string], object>(shell, async (run, [name]) => {
      const found = await run.api.post<Shown['Pipeline']>(`${pathOf(name)}/resume`);
      run.out.show(found, () => `${name} goes on`);
    }),
  );

  reasonOptions(
    onPipeline(group, 'backfill', 'Reads a part of the source again; the cursor stays.'),
  )
    .option('--from <cursor>', 'from there, JSON or text; else from the beginning')
    .option('--until <cursor>', 'up to there, JSON or text; else up to the cursor')
    .action(
      doing<[name: string], { from?: string; until?: string }>(
        shell,
        async (run, [name], { from, until }) => {
          const range = from === undefined ? 'all of its source' : `its source from ${from}`;
          await run.questions.confirm(`read ${range} again for ${name}`);
          const begun = await run.api.post<object>(
            `${pathOf(name)}/backfill`,
            {
              from: from && toJson(from),
              until: until && toJson(until),
            },
            await run.because(),
          );
          run.out.fields(begun, Object.entries(begun));
        },
      ),
    );

  reasonOptions(onPipeline(group, 'reset', 'Puts the cursor elsewhere, or back to the beginning.'))
    .option('--cursor <cursor>', 'where to, JSON or text; else the beginning')
    .action(
      doing<[name: string], { cursor?: string }>(shell, async (run, [name], { cursor }) => {
        await run.questions.confirm(`set ${name} back to ${cursor ?? 'the beginning'}`);
        const found = await run.api.post<Shown['Pipeline']>(
          `${pathOf(name)}/reset`,
          { cursor: cursor && toJson(cursor) },
          await run.because(),
        );
        run.out.show(found, () => `${name} is at ${JSON.stringify(found.cursor)}`);
      }),
    );
}

function onPipeline(group: Command, name: string, description: string): Command {
  return group
    .command(name)
    .description(description)
    .argument('<pipeline>', 'name of the pipeline');
}

function pathOf(name: string): string {
  return `/v1/sync/${segment(name)}`;
}
