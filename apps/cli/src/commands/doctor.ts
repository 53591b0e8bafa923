import type { Command } from 'commander';
import { EXIT, Failure } from '../exit.js';
import { doing } from '../run.js';
import type { Shell } from '../shell.js';

/** `doctor`: finds the usual mistakes, and says what to do about each. */
export function addDoctor(program: Command, shell: Shell): void {
  program
    .command('doctor')
    .summary('find the usual mistakes')
    .description(
      'Looks at the environment, this machine, the store in CALLSHEET_URL, and at what runs, if the API is there. Changes nothing. Ends with 1 when it finds an error, 0 with warnings.',
    )
    .action(
      doing<[], object>(shell, async (run) => {
        // The clients of stores are loaded by nothing else here.
        const { examination } = await import('../doctor/examination.js');
        const found = await examination(run.shell);
        const { findings, looked } = found;
        const errors = findings.filter(({ severity }) => severity === 'error').length;
        run.out.show(found, () =>
          [
            ...findings.flatMap(({ severity, id, found: what, fix }) => [
              `${severity === 'error' ? 'ERROR  ' : 'warning'}  ${id}: ${what}`,
              `         ${fix}`,
            ]),
            `looked at ${looked.join(', ')}: ${errors} error${errors === 1 ? '' : 's'}, ${findings.length - errors} warnings`,
          ].join('\n'),
        );
        if (errors > 0) throw new Failure(EXIT.failed, 'there are errors');
      }),
    );
}
