import type { Command } from 'commander';
import { doing } from '../run.js';
import type { Shell } from '../shell.js';
import type { Listed, Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption } from './options.js';

const COLUMNS: Columns<Listed<Shown['AuditPage']>> = [
  ['at', ({ at }) => at],
  ['who', ({ name }) => name],
  ['what', ({ call, path }) => `${call.split(' ', 1)[0]} ${path}`],
  ['status', ({ status }) => status],
  ['reason', ({ reason }) => reason],
];

/** `audit`. */
export function addAudit(program: Command, shell: Shell): void {
  program
    .command('audit')
    .summary('who changed what, and why')
    .description(
      'Who changed what, and why, newest first; with --json what was before and is after.',
    )
    .addOption(limitOption())
    .action(
      doing<[], { limit: number }>(shell, async (run, _, { limit }) => {
        await run.out.list(
          COLUMNS,
          run.api.items<Listed<Shown['AuditPage']>>('/v1/audit', limit, {}, 'before'),
        );
      }),
    );
}
