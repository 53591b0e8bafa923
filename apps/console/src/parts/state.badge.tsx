import type { ReactElement } from 'react';

const TONES: Readonly<Record<string, 'good' | 'bad' | 'warn' | 'busy'>> = {
  done: 'good',
  succeeded: 'good',
  fired: 'good',
  active: 'busy',
  running: 'busy',
  delayed: 'warn',
  parked: 'warn',
  late: 'warn',
  skipped: 'warn',
  paused: 'warn',
  cancelled: 'warn',
  dead: 'bad',
  failed: 'bad',
  missed: 'bad',
  broken: 'bad',
  failing: 'bad',
  retrying: 'warn',
  terminated: 'bad',
  'timed-out': 'bad',
  quarantined: 'bad',
};

/** A word for a state, in the colour of how much it matters. */
export function StateBadge({ state }: { state: string }): ReactElement {
  return <span className={`badge ${TONES[state] ?? ''}`}>{state}</span>;
}
