const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

/** How far away a moment is: `3 min. ago`, `in 2 hr.`. */
export function distance(at: string, now: number = Date.now()): string {
  const away = Date.parse(at) - now;
  const [unit, size] = UNITS.find(([, ms]) => Math.abs(away) >= ms) ?? ['second', 1_000];
  return relative.format(Math.round(away / size), unit);
}

/** Milliseconds for people: `0.4 ms`, `312 ms`, `4.2 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`. */
export function span(ms: number): string {
  if (ms < 10) return `${+ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${+(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return pair(seconds, 3_600, 'h', 60, 'min');
  return pair(seconds, 86_400, 'd', 3_600, 'h');
}

function pair(seconds: number, large: number, unit: string, small: number, lesser: string): string {
  const whole = Math.floor(seconds / large);
  const rest = Math.floor((seconds % large) / small);
  return rest ? `${whole} ${unit} ${rest} ${lesser}` : `${whole} ${unit}`;
}
