import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { EXIT, Failure } from '../exit.js';
import { doing, type Run } from '../run.js';
import type { Shell } from '../shell.js';
import type { Columns } from '../table.js';

interface Change {
  change: 'create' | 'update' | 'adopt' | 'remove' | 'keep';
  id: string;
  actor: string;
}

/** What compares the worker's code with the store: it is the worker itself, which takes no messages. */
const WORKER = '../../../worker/src/schedules/main.js';

const COLUMNS: Columns<Change> = [
  ['change', ({ change }) => change],
  ['schedule', ({ id }) => id, 'whole'],
  ['actor', ({ actor }) => actor],
];

/** `schedules plan|apply`: of the schedules that the worker's code declares. They need the store itself, `CALLSHEET_URL`. */
export function addPlans(group: Command, shell: Shell): void {
  group
    .command('plan')
    .description("What applying the schedules of the worker's code would create, change or remove.")
    .option('--check', 'end with 1 when it would remove some')
    .action(
      doing<[], { check?: boolean }>(shell, async (run, _, { check }) => {
        const changes = await showPlan(run);
        if (check && changes.some(({ change }) => change === 'remove')) {
          throw new Failure(EXIT.failed, 'the plan removes schedules');
        }
      }),
    );

  group
    .command('apply')
    .description('Has the workers apply the schedules of their code; shows the plan first.')
    .option('--yes', 'ask nothing')
    .action(
      doing<[], object>(shell, async (run) => {
        const changes = await showPlan(run);
        const count = changes.filter(({ change }) => change !== 'keep').length;
        await run.questions.confirm(`apply ${count} change${count === 1 ? '' : 's'}`);
        await ask(run.shell, 'apply');
        run.out.note('told the workers to apply it');
      }),
    );
}

async function showPlan(run: Run): Promise<Change[]> {
  const changes = await ask(run.shell, 'plan');
  await run.out.list(COLUMNS, changes);
  return changes;
}

async function ask(shell: Shell, command: 'plan' | 'apply'): Promise<Change[]> {
  const main = fileURLToPath(new URL(WORKER, import.meta.url));
  const child = spawn(process.execPath, [main, command, '--json'], {
    env: shell.env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: shell.signal,
    killSignal: 'SIGTERM',
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  try {
    await once(child, 'close');
  } catch (error) {
    shell.signal.throwIfAborted();
    throw error;
  }
  const line = out.split('\n').find((text) => text.startsWith('['));
  if (line !== undefined) return JSON.parse(line) as Change[];
  throw new Failure(
    EXIT.failed,
    err.trim().replace(/^callsheet: /, '') || 'the worker said nothing',
  );
}
