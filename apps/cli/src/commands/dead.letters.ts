import { Option, type Command } from 'commander';
import { EXIT, Failure, misuse } from '../exit.js';
import { jsonGiven, toCount } from '../given.js';
import { doing, segment, type Run } from '../run.js';
import type { Shell } from '../shell.js';
import type { Listed, Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { messageFields } from './messages.js';
import { limitOption, reasonOptions } from './options.js';

interface Filter {
  actor?: string;
  type?: string;
  because?: string;
  fingerprint?: string;
  error?: string;
  before?: string;
}

const REASONS = [
  'exhausted',
  'rejected',
  'invalid',
  'unhandled',
  'expired',
  'crashed',
  'quarantined',
];
/** Dead letters in one call: enough to be quick, and few enough to see it move. */
const STEP = 100;
/** Letters that are discarded at once. */
const ABREAST = 8;
/** No more are counted. */
const MOST = 50_000;

const COLUMNS: Columns<Shown['DeadLetter']> = [
  ['id', ({ id }) => id, 'whole'],
  ['type', ({ type }) => type],
  ['key', ({ key }) => key],
  ['died', ({ finishedAt }) => finishedAt],
  ['reason', ({ reason }) => reason],
  ['fingerprint', ({ fingerprint }) => fingerprint],
  ['error', ({ error, attempts }) => error ?? attempts.at(-1)?.error.message],
];

const GROUP_COLUMNS: Columns<Listed<Shown['DeadLetterGroups']>> = [
  ['count', ({ count }) => count],
  ['type', ({ type }) => type],
  ['reason', ({ reason }) => reason],
  ['fingerprint', ({ fingerprint }) => fingerprint, 'whole'],
  ['last', ({ last }) => last],
  ['error', ({ error }) => error && `${error.code ?? error.name}: ${error.message}`],
];

/** `dead-letters list|show|groups|redrive|discard`. */
export function addDeadLetters(program: Command, shell: Shell): void {
  const group = program
    .command('dead-letters')
    .description('what was given up: look, mend, try again, drop');

  withFilter(group.command('list'))
    .description('Dead letters, newest first.')
    .addOption(limitOption())
    .action(
      doing<[], Filter & { limit: number }>(shell, async (run, _, options) => {
        const letters = run.api.items<Shown['DeadLetter']>(
          '/v1/dead-letters',
          options.limit,
          filterOf(options),
        );
        await run.out.list(COLUMNS, letters);
      }),
    );

  group
    .command('show')
    .description('A dead letter: why it died, each attempt with its error, its data.')
    .argument('<id>', 'id of the message')
    .action(
      doing<[id: string], object>(shell, async (run, [id]) => {
        const letter = await run.api.get<Shown['DeadLetter']>(`/v1/dead-letters/${segment(id)}`);
        run.out.fields(letter, messageFields(letter));
      }),
    );

  withFilter(group.command('groups'))
    .description('Dead letters by what they died of, the most frequent first.')
    .action(
      doing<[], Filter>(shell, async (run, _, options) => {
        const { items, complete, since } = await run.api.get<Shown['DeadLetterGroups']>(
          '/v1/dead-letters:groups',
          filterOf(options),
        );
        await run.out.list(GROUP_COLUMNS, items);
        if (!complete) {
          run.out.note(
            `there are more than can be looked at in time: those that died before ${since} are not counted; --actor narrows`,
          );
        }
      }),
    );

  reasonOptions(withFilter(group.command('redrive')))
    .description(
      'Puts dead letters back into their queues, with all attempts available again: those named, or all that match, the oldest first.',
    )
    .argument('[ids...]', 'ids of messages')
    .option('--all', 'all that there are')
    .option('--data <json>', 'of one letter: takes the place of its data; JSON, @file, or -')
    .addOption(new Option('--limit <count>', 'at most so many').argParser(toCount))
    .option('--dry-run', 'only count')
    .action(
      doing<[ids: string[]], Filter & Many & { data?: string }>(
        shell,
        async (run, [ids], options) => {
          requireChoice(ids, options);
          if (options.data !== undefined && ids.length !== 1) {
            throw misuse('--data is for one letter: name it, and no other');
          }
          if (ids.length === 0) return redriveMatching(run, options);
          const data = options.data && (await jsonGiven(shell, options.data, 'data'));
          const because = await run.because();
          await named(run, 'redriven', ids, (id) =>
            run.api.post(
              `/v1/dead-letters/${segment(id)}/redrive`,
              data ? { data } : undefined,
              because,
            ),
          );
        },
      ),
    );

  reasonOptions(withFilter(group.command('discard')))
    .description('Removes dead letters for good: those named, or all that match.')
    .argument('[ids...]', 'ids of messages')
    .option('--all', 'all that there are')
    .addOption(new Option('--limit <count>', 'at most so many').argParser(toCount))
    .option('--dry-run', 'only count')
    .action(
      doing<[ids: string[]], Filter & Many>(shell, async (run, [ids], options) => {
        requireChoice(ids, options);
        if (ids.length === 0) return discardMatching(run, options);
        await run.questions.confirm(`discard ${count(ids.length)} for good`);
        await named(run, 'discarded', ids, await discarding(run), ABREAST);
      }),
    );
}

interface Many {
  all?: boolean;
  limit?: number;
  dryRun?: boolean;
}

function withFilter(command: Command): Command {
  return command
    .option('--actor <actor>', 'only those of this actor')
    .option('--type <type>', 'only those of this type')
    .addOption(new Option('--because <reason>', 'only those that died of this').choices(REASONS))
    .option('--fingerprint <fingerprint>', 'only those of this group')
    .option('--error <error>', 'only those whose last error has this name or code')
    .option('--before <time>', 'only those that died before, ISO 8601');
}

function filterOf({ actor, type, because, fingerprint, error, before }: Filter) {
  return { actor, type, reason: because, fingerprint, error, before };
}

/** So that a forgotten option does not mean all of them. */
function requireChoice(ids: readonly string[], options: Filter & Many): void {
  const isFiltered = Object.values(filterOf(options)).some((each) => each !== undefined);
  if (ids.length > 0 && (isFiltered || options.all)) {
    throw misuse('name dead letters, or say which match, not both');
  }
  if (ids.length > 0 && (options.dryRun || options.limit !== undefined)) {
    throw misuse('--dry-run and --limit are for those that match, and some are named');
  }
  if (ids.length === 0 && !isFiltered && !options.all) {
    throw misuse('which dead letters?', 'name ids, narrow with --actor or the like, or say --all');
  }
}

/** How many match, as a call says that changes nothing. */
async function countMatching(run: Run, options: Filter & Many): Promise<number> {
  const { matched } = await run.api.post<Shown['RedrivenMany']>(
    '/v1/dead-letters:redrive',
    { ...filterOf(options), dryRun: true },
    { once: `${run.api.key}-count` },
  );
  return Math.min(matched, options.limit ?? Infinity);
}

async function redriveMatching(run: Run, options: Filter & Many): Promise<void> {
  const total = await countMatching(run, options);
  if (options.dryRun || total === 0) return counted(run, total);
  await run.questions.confirm(`redrive ${count(total)}`);
  const because = await run.because();
  const progress = run.progress('dead letters redriven', total);
  let done = 0;
  try {
    // What dies again meanwhile is newer than these, and stays.
    for (let step = 0; done < total; step++) {
      const redriven = await run.api.post<Shown['RedrivenMany']>(
        '/v1/dead-letters:redrive',
        { ...filterOf(options), limit: Math.min(STEP, total - done) },
        { ...because, once: `${run.api.key}-${step}` },
      );
      done += redriven.count;
      progress.at(done);
      // There may be more that nobody could take.
      if (!redriven.more || redriven.count === 0) break;
    }
  } finally {
    progress.end(done);
  }
  ended(run, 'redriven', done, total);
}

async function discardMatching(run: Run, options: Filter & Many): Promise<void> {
  const total = await countMatching(run, options);
  if (options.dryRun || total === 0) return counted(run, total);
  await run.questions.confirm(`discard ${count(total)} for good`);
  const ids: string[] = [];
  const letters = run.api.items<Shown['DeadLetter']>('/v1/dead-letters', total, filterOf(options));
  for await (const { id } of letters) ids.push(id);
  const { done } = await each(run, 'discarded', ids, await discarding(run), ABREAST);
  ended(run, 'discarded', done, total);
}

async function discarding(run: Run): Promise<(id: string) => Promise<void>> {
  const because = await run.because();
  return (id) => run.api.remove(`/v1/dead-letters/${segment(id)}`, because);
}

/** Those that a person has named must be there. */
async function named(run: Run, ...[state, ids, act, abreast]: Each): Promise<void> {
  const { done, missing } = await each(run, state, ids, act, abreast);
  if (missing) throw missing;
  ended(run, state, done, ids.length);
}

type Each = [
  state: 'redriven' | 'discarded',
  ids: readonly string[],
  act: (id: string) => Promise<unknown>,
  abreast?: number,
];

/** Some abreast, one by default; of those that are not there the first is told, and the others are done all the same. */
async function each(
  run: Run,
  ...[state, ids, act, abreast = 1]: Each
): Promise<{ done: number; missing?: Failure }> {
  const progress = run.progress(`dead letters ${state}`, ids.length);
  let missing: Failure | undefined;
  let done = 0;
  const one = async (id: string) => {
    try {
      await act(id);
      progress.at(++done);
    } catch (error) {
      if (!(error instanceof Failure) || error.exit !== EXIT.notFound) throw error;
      missing ??= error;
    }
  };
  try {
    for (let at = 0; at < ids.length; at += abreast) {
      // All of them have ended before one that failed ends the command: what is counted is done.
      const all = await Promise.allSettled(ids.slice(at, at + abreast).map(one));
      const failed = all.find((each) => each.status === 'rejected');
      if (failed) throw failed.reason;
    }
  } finally {
    progress.end(done);
  }
  return { done, missing };
}

function counted(run: Run, total: number): void {
  const more = total >= MOST ? ' or more' : '';
  run.out.show({ state: 'counted', count: total }, () => `${count(total)}${more} would be taken`);
}

/** The progress has told the person. */
function ended(run: Run, state: string, done: number, total: number): void {
  if (run.out.isJson) run.out.show({ state, count: done }, () => '');
  if (done < total) run.out.note(`${total - done} were not there any more`);
}

function count(letters: number): string {
  return letters === 1 ? '1 dead letter' : `${letters.toLocaleString('en')} dead letters`;
}
