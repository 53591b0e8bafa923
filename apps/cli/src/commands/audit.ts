import type { Command } from 'commander';
import { doing } from '../run.js';
import type { Shell } from '../shell.js';
import type { Listed, Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption } from './options.js';

const COLUMNS: Columns<Listed<Shown['AuditPage']>> = [
  ['at', ({ at }) => at],
  ['who', ({ name }) => name],
  ['action', ({ action }) => action],
  ['target', ({ target }) => target],
  ['status', ({ status }) => status],
  ['reason', ({ reason }) => reason],
];

interface Filters {
  limit: number;
  action?: string;
  who?: string;
  target?: string;
}

/** `audit`. */
export function addAudit(program: Command, shell: Shell): void {
  program
    .command('audit')
    .summary('who changed what, and why')
    .description(
      'Who changed what, and why, newest first; with --json what was before and is after.',
    )
    .option('--action <word>', 'only what was done so: create, pause, redrive, ...')
    .option('--who <name>', 'only by those with this in their name or id')
    .option('--target <target>', 'only to this: schedules, weekly, or schedules/weekly')
    .addOption(limitOption())
    .action(
      doing<[], Filters>(shell, async (run, _, { limit, action, who, target }) => {
        const entries = run.api.items<Listed<Shown['AuditPage']>>(
          '/v1/audit',
          limit,
          { action, who, target },
          'before',
        );
        await run.out.list(COLUMNS, entries);
      }),
    );
}
