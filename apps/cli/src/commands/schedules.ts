import { Option, type Command } from 'commander';
import { misuse } from '../exit.js';
import { jsonGiven, toCount, toList, toPriority } from '../given.js';
import { doing, segment, type Run } from '../run.js';
import type { Shell } from '../shell.js';
import type { Listed, Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption, reasonOptions } from './options.js';
import { addPlans } from './plans.js';

type HistoryRow = Listed<Shown['ScheduleRuns']>;

interface Rule {
  type?: string;
  data?: string;
  cron?: string;
  every?: string;
  at?: string[];
  rrule?: string;
  tz?: string;
  start?: string;
  end?: string;
  overlap?: string;
  catchUp?: string;
  priority?: string | number;
  tag?: string[];
  description?: string;
  file?: string;
}

const STATES = ['active', 'paused', 'finished', 'broken'];
/** Options that say what `--file` says. */
const OF_A_RULE = [
  ...['type', 'data', 'cron', 'every', 'at', 'rrule', 'tz', 'start', 'end', 'overlap'],
  ...['catchUp', 'priority', 'tag', 'description'],
];
const OVERLAPS = ['skip', 'buffer-one', 'buffer-all', 'cancel-other', 'terminate-other', 'allow'];

const COLUMNS: Columns<Shown['Schedule']> = [
  ['id', ({ id }) => id, 'whole'],
  ['state', ({ state }) => state],
  ['next', ({ next }) => next],
  ['last', ({ last }) => last && `${last.outcome} ${last.nominal}`],
  ['failures', ({ failures }) => failures],
  ['when', ({ text }) => text],
  ['message', ({ message }) => message.type],
  ['problem', ({ problem, pause }) => problem ?? pause?.reason],
];

const OCCURRENCES: Columns<Shown['Preview']['occurrences'][number]> = [
  ['at', ({ at }) => at],
  ['local', ({ local }) => local],
];

const RUNS: Columns<HistoryRow> = [
  ['at', ({ at }) => at],
  ['nominal', (row) => (row.kind === 'note' ? undefined : row.nominal)],
  ['what', whatOf],
  ['run', (row) => (row.kind === 'note' ? undefined : row.run), 'whole'],
  ['detail', detailOf],
];

/** `schedules list|show|runs|next|create|delete|pause|resume|trigger|backfill|plan|apply`. */
export function addSchedules(program: Command, shell: Shell): void {
  const group = program.command('schedules').description('what runs when: make, look, steer');

  group
    .command('list')
    .description('Schedules, by id.')
    .addOption(new Option('--state <state>', 'only those').choices(STATES))
    .option('--troubled', 'only those that are broken, or whose runs fail')
    .option('--tag <tag>', 'only those with this tag')
    .option('--q <text>', 'only those with this text in id, description or type')
    .addOption(limitOption())
    .action(
      doing<[], { limit: number; state?: string; tag?: string; q?: string; troubled?: boolean }>(
        shell,
        async (run, _, { limit, state, tag, q, troubled }) => {
          const found = run.api.items<Shown['Schedule']>('/v1/schedules', limit, {
            ...{ state, tag, q },
            troubled: troubled ? 'true' : undefined,
          });
          await run.out.list(COLUMNS, found);
        },
      ),
    );

  onSchedule(group, 'show', 'A schedule: its rule, its state, its last run.').action(
    doing<[id: string], object>(shell, async (run, [id]) => {
      const found = await run.api.get<Shown['Schedule']>(pathOf(id));
      run.out.fields(found, Object.entries(found));
    }),
  );

  onSchedule(group, 'runs', 'What became of its occurrences, newest first.')
    .addOption(limitOption())
    .action(
      doing<[id: string], { limit: number }>(shell, async (run, [id], { limit }) => {
        await run.out.list(RUNS, run.api.items<HistoryRow>(`${pathOf(id)}/runs`, limit));
      }),
    );

  onSchedule(group, 'next', 'When it runs next.')
    .addOption(new Option('--count <count>', 'how many').argParser(toCount).default(5))
    .action(
      doing<[id: string], { count: number }>(shell, async (run, [id], { count }) => {
        const next = await run.api.get<Shown['ScheduleNext']>(`${pathOf(id)}/next`, {
          count,
        });
        await run.out.list(OCCURRENCES, next.occurrences);
      }),
    );

  addCreate(group, shell);

  reasonOptions(onSchedule(group, 'delete', 'Removes a schedule for good, with its history.'))
    .option('--revision <revision>', 'only if it is still at this one')
    .action(
      doing<[id: string], { revision?: string }>(shell, async (run, [id], { revision }) => {
        await run.questions.confirm(`delete the schedule ${id}`);
        const { headers } = await run.because();
        await run.api.remove(pathOf(id), {
          headers: { ...headers, 'if-match': revision && `"${revision}"` },
        });
        run.out.show({ id, state: 'deleted' }, () => `${id} is deleted`);
      }),
    );

  reasonOptions(onSchedule(group, 'pause', 'Stops it from starting runs.'))
    .option('--until <time>', 'it goes on by itself then, ISO 8601')
    .action(
      doing<[id: string], { until?: string }>(shell, async (run, [id], { until }) => {
        const body = { reason: await run.questions.requiredReason(), until };
        const found = await run.api.post<Shown['Schedule']>(`${pathOf(id)}/pause`, body);
        run.out.show(found, () => `${id} is paused: ${found.pause?.reason}`);
      }),
    );

  onSchedule(group, 'resume', 'Lets a paused schedule go on.').action(
    doing<[id: string], object>(shell, async (run, [id]) => {
      const found = await run.api.post<Shown['Schedule']>(`${pathOf(id)}/resume`);
      run.out.show(found, () => `${id} goes on, next at ${found.next ?? 'no time'}`);
    }),
  );

  onSchedule(group, 'trigger', 'Starts a run now; one of a paused schedule too.')
    .addOption(
      new Option('--overlap <policy>', 'what becomes of it while a run is in work').choices(
        OVERLAPS,
      ),
    )
    .action(
      doing<[id: string], { overlap?: string }>(shell, async (run, [id], { overlap }) => {
        const started = await run.api.post<object>(
          `${pathOf(id)}/trigger`,
          overlap ? { overlap } : undefined,
        );
        run.out.fields(started, Object.entries(started));
      }),
    );

  addBackfill(group, shell);
  addPlans(group, shell);
}

function onSchedule(group: Command, name: string, description: string): Command {
  return group.command(name).description(description).argument('<id>', 'id of the schedule');
}

function pathOf(id: string): string {
  return `/v1/schedules/${segment(id)}`;
}

function whatOf(row: HistoryRow): string {
  if (row.kind === 'end') return `ended: ${row.outcome}`;
  return row.kind === 'note' ? row.what : row.outcome;
}

function detailOf(row: HistoryRow): string | undefined {
  if (row.kind === 'end') return row.error && `${row.error.name}: ${row.error.message}`;
  return row.kind === 'note' ? row.detail : undefined;
}

function addCreate(group: Command, shell: Shell): void {
  group
    .command('create')
    .description(
      'Makes a schedule, says in words when it runs, and warns of what is easily overlooked.',
    )
    .argument('<id>', 'id of the schedule')
    .option('--type <type>', 'type of the message that each run sends')
    .option('--data <json>', 'data of that message: JSON, @file, or -', '{}')
    .option('--cron <cron>', "five or six fields: '0 7 * * MON-FRI'")
    .option('--every <duration>', "'15m', '1d'")
    .addOption(new Option('--at <time>', 'once, ISO 8601; may be repeated').argParser(toList))
    .option('--rrule <rule>', "'FREQ=MONTHLY;BYDAY=-1FR', RFC 5545")
    .option('--tz <zone>', "time zone: 'Europe/Madrid'")
    .option('--start <time>', 'none before, ISO 8601')
    .option('--end <time>', 'none after, ISO 8601')
    .addOption(
      new Option('--overlap <policy>', 'what happens while a run is in work').choices(OVERLAPS),
    )
    .addOption(
      new Option('--catch-up <what>', 'what happens to occurrences that were missed').choices([
        'none',
        'latest',
        'all',
      ]),
    )
    .addOption(new Option('--priority <priority>', 'of its messages').argParser(toPriority))
    .addOption(new Option('--tag <tag>', 'may be repeated').argParser(toList))
    .option('--description <text>', 'what it is for')
    .addOption(
      new Option(
        '--file <json>',
        'the whole body instead, as the API takes it: JSON, @file, or -',
      ).conflicts(OF_A_RULE),
    )
    .option('--replace', 'change the one that there is')
    .option('--revision <revision>', 'with --replace: only if it is still at this one')
    .option('--dry-run', 'only say when it would run')
    .action(
      doing<[id: string], Rule & { replace?: boolean; revision?: string; dryRun?: boolean }>(
        shell,
        async (run, [id], options) => {
          const { replace, revision } = options;
          if (revision !== undefined && !replace) {
            throw misuse('--revision is for --replace: there is none yet');
          }
          const body = { ...(await bodyOf(shell, options)), id };
          const preview = await run.api.post<Shown['Preview']>('/v1/schedules:preview', body);
          for (const warning of preview.warnings) run.out.note(`careful: ${warning}`);
          if (options.dryRun) return run.out.fields(preview, previewFields(preview));
          const stored = replace
            ? await run.api.call<Shown['StoredSchedule']>('PUT', pathOf(id), {
                body,
                headers: { 'if-match': revision && `"${revision}"` },
                // What it has done itself would fail its condition.
                once: revision === undefined ? '' : false,
              })
            : await run.api.post<Shown['StoredSchedule']>('/v1/schedules', body);
          run.out.fields(stored, [
            ['id', stored.id],
            ['outcome', stored.outcome],
            ...previewFields(preview),
          ]);
        },
      ),
    );
}

function previewFields({ text, occurrences }: Shown['Preview']): [string, unknown][] {
  const next = occurrences.slice(0, 3).map(({ at, local }) => `${at}  ${local}`);
  return [
    ['when', text],
    ['next', next.join('\n') || 'never'],
  ];
}

async function bodyOf(shell: Shell, rule: Rule): Promise<object> {
  if (rule.file !== undefined) return jsonGiven(shell, rule.file, 'the schedule');
  const { type, data = '{}', at, tag, ...rest } = rule;
  if (type === undefined) {
    throw misuse(
      'which message does it send?',
      "say --type, such as --type email.send --data '{...}'",
    );
  }
  const { cron, every, rrule, tz, start, end, overlap, catchUp, priority, description } = rest;
  if (![cron, every, rrule, at].some((each) => each !== undefined)) {
    throw misuse('when does it run?', "say --cron '0 7 * * *', --every 15m, --at, or --rrule");
  }
  return {
    message: { type, data: await jsonGiven(shell, data, 'data') },
    ...{ cron, every, rrule, tz, start, end, overlap, catchUp, priority, description },
    at: at?.length === 1 ? at[0] : at,
    tags: tag,
  };
}

function addBackfill(group: Command, shell: Shell): void {
  reasonOptions(
    onSchedule(
      group,
      'backfill',
      'Runs the occurrences of a range of time, whether they have run or not.',
    ),
  )
    .requiredOption('--from <time>', 'the first, ISO 8601')
    .requiredOption('--to <time>', 'up to, ISO 8601')
    .option('--parallel', 'all at once, instead of one after the other')
    .option('--dry-run', 'only count')
    .action(
      doing<[id: string], { from: string; to: string; parallel?: boolean; dryRun?: boolean }>(
        shell,
        (run, [id], options) => backfill(run, id, options),
      ),
    );
}

/** Counts first: a range that is a year too long is easily typed. */
async function backfill(
  run: Run,
  id: string,
  {
    from,
    to,
    parallel,
    dryRun,
  }: { from: string; to: string; parallel?: boolean; dryRun?: boolean },
): Promise<void> {
  const path = `${pathOf(id)}/backfill`;
  const range = { from, to, parallel };
  const counted = await run.api.post<Shown['ScheduleBackfilled']>(
    path,
    { ...range, dryRun: true },
    { once: `${run.api.key}-count` },
  );
  const runs = `${counted.count.toLocaleString('en')} run${counted.count === 1 ? '' : 's'}`;
  if (dryRun || counted.count === 0) {
    return run.out.show(counted, () => `${id}: ${runs} from ${from} to ${to}`);
  }
  await run.questions.confirm(`backfill ${id} with ${runs}`);
  const begun = await run.api.post<Shown['ScheduleBackfilled']>(path, range, await run.because());
  run.out.show(begun, () => `${id}: ${runs} under way; callsheet schedules runs ${id} shows them`);
}
