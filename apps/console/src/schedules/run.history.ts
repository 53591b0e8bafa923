import type { Shown } from '../api/client.js';

type Entry = Shown['ScheduleRuns']['items'][number];

/** A line of the history of a schedule. */
export interface HistoryLine {
  /** When it happened. */
  at: string;
  nominal?: string;
  /** How the run ended, what was decided about an occurrence, or what else happened. */
  outcome: string;
  /** Id of the message that is the run. */
  run?: string;
  /** Milliseconds from the nominal time to the start; says nothing of a backfill. */
  drift?: number;
  attempts?: number;
  /** Why there was a run, when it was not simply due. */
  why?: string;
  /** What went wrong, or what there is to say. */
  detail?: string;
}

/** What has become of a schedule, newest first. That a run was started is not said again of one that has ended. */
export function historyOf(entries: readonly Entry[]): HistoryLine[] {
  const ended = new Set(entries.flatMap((entry) => (entry.kind === 'end' ? [entry.run] : [])));
  const why = reasonsOf(entries);
  return entries
    .filter(
      (entry) => !(entry.kind === 'occurrence' && entry.run !== undefined && ended.has(entry.run)),
    )
    .map((entry): HistoryLine => {
      const { at } = entry;
      switch (entry.kind) {
        case 'note':
          return { at, outcome: entry.what, detail: entry.detail };
        case 'occurrence': {
          const { nominal, outcome, run, count, until } = entry;
          const several =
            count > 1
              ? `${count} occurrences, until ${new Date(until ?? nominal).toLocaleString()}`
              : undefined;
          return { at, nominal, outcome, run, why: reasonOf(entry), detail: several };
        }
        case 'end': {
          const { nominal, outcome, run, drift, attempts, error } = entry;
          const detail = error && `${error.name}: ${error.message}`;
          const line = { at, nominal, outcome, run, attempts, why: why.get(run), detail };
          return line.why === 'backfill' ? line : { ...line, drift };
        }
      }
    });
}

/** Why there were runs, by their ids. */
function reasonsOf(entries: readonly Entry[]): ReadonlyMap<string, string | undefined> {
  return new Map(
    entries.flatMap((entry) =>
      entry.kind === 'occurrence' && entry.run !== undefined
        ? [[entry.run, reasonOf(entry)] as const]
        : [],
    ),
  );
}

function reasonOf({ reason }: { reason?: string }): string | undefined {
  return reason === 'scheduled' ? undefined : reason;
}

/** A run that has ended, for a small picture of several. */
export interface EndedRun {
  outcome: string;
  drift?: number;
}

/** The runs that ended last, the newest at the end. */
export function endedRuns(entries: readonly Entry[], most: number): EndedRun[] {
  const why = reasonsOf(entries);
  return entries
    .flatMap((entry) => {
      if (entry.kind !== 'end') return [];
      const { run, outcome, drift } = entry;
      return why.get(run) === 'backfill' ? [{ outcome }] : [{ outcome, drift }];
    })
    .slice(0, most)
    .reverse();
}

/** The same in words: `20 runs: 18 succeeded, 2 failed`. */
export function runsInWords(runs: readonly EndedRun[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of runs) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const parts = [...counts].map(([outcome, count]) => `${count} ${outcome}`);
  return `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}: ${parts.join(', ')}`;
}
