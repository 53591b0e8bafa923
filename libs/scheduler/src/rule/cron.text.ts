const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const NTH = ['', 'first', 'second', 'third', 'fourth', 'fifth'];

/** More times of day than this are told as minutes and hours. */
const MAX_TIMES = 6;

/**
 * A canonical pattern as words: 'at 02:30 on Monday'. Of its own, because cronstrue, which was tried, says "and" where days of month
 * and week are alternatives, and refuses `+MON`, `1,15W` and `FRI#L`.
 */
export function cronText(pattern: string): string {
  const [second = '*', minute = '*', hour = '*', day = '*', month = '*', weekday = '*'] =
    pattern.split(' ');
  return `${timeText(second, minute, hour)} ${dayText(day, month, weekday)}`;
}

function timeText(second: string, minute: string, hour: string): string {
  const times = timesOfDay(second, minute, hour);
  if (times) return `at ${listText(times)}`;
  const parts: string[] = [];
  if (second !== '0') parts.push(unitText(second, 'second', 60));
  if (minute !== '*' || second === '0') parts.push(unitText(minute, 'minute', 60));
  const whole = minute === '*' || minute.includes('/') || second === '*' || second.includes('/');
  if (hour !== '*') parts.push(hourText(hour));
  else if (!whole) parts.push('of every hour');
  return parts.join(' ');
}

/** `09:00`, `17:30`, when there are few of them. */
function timesOfDay(second: string, minute: string, hour: string): string[] | undefined {
  if ([second, minute, hour].some((field) => /[*/-]/.test(field))) return undefined;
  const [seconds, minutes, hours] = [second, minute, hour].map((field) =>
    field
      .split(',')
      .map(Number)
      .sort((a, b) => a - b),
  );
  const times = (hours ?? []).flatMap((h) =>
    (minutes ?? []).flatMap((m) =>
      (seconds ?? []).map((s) => `${two(h)}:${two(m)}${second === '0' ? '' : `:${two(s)}`}`),
    ),
  );
  return times.length <= MAX_TIMES ? times : undefined;
}

function unitText(field: string, unit: string, size: number): string {
  if (field === '*') return `every ${unit}`;
  const step = /^\*\/(\d+)$/.exec(field)?.[1];
  if (step !== undefined && size % Number(step) === 0) return `every ${step} ${unit}s`;
  const terms = field.split(',').map((term) => termText(term, String, 0, size - 1));
  return `at ${unit}${terms.length > 1 || /[-/*]/.test(field) ? 's' : ''} ${listText(terms)}`;
}

function hourText(hour: string): string {
  const range = /^(\d+)-(\d+)$/.exec(hour);
  if (range) return `from ${two(Number(range[1]))}:00 to ${two(Number(range[2]))}:59`;
  const terms = hour.split(',').map((term) => termText(term, String, 0, 23));
  return `in the hour${terms.length > 1 || /[-/*]/.test(hour) ? 's' : ''} ${listText(terms)}`;
}

function dayText(day: string, month: string, weekday: string): string {
  const both = weekday.startsWith('+');
  const weekdays = weekdayText(both ? weekday.slice(1) : weekday);
  const days = day.split(',').map(dayTermText);
  const dayList = day === '*' ? '' : `on ${listText(days)} of the month`;
  let text: string;
  if (day === '*') text = weekday === '*' ? 'every day' : `on ${weekdays}`;
  else if (weekday === '*') text = dayList;
  else text = both ? `${dayList} if it is ${weekdays}` : `${dayList} or on ${weekdays}`;
  if (month === '*') return text;
  const months = month
    .split(',')
    .map((term) => termText(term, (value) => MONTHS[value - 1] ?? '', 1, 12));
  return `${text}, in ${listText(months)}`;
}

function dayTermText(term: string): string {
  if (term === 'L') return 'the last day';
  if (term === 'LW') return 'the last day from Monday to Friday';
  const fromEnd = /^L-(\d+)$/.exec(term)?.[1];
  if (fromEnd !== undefined)
    return `${fromEnd === '1' ? 'one day' : `${fromEnd} days`} before the last day`;
  const near = /^(\d+)W$/.exec(term)?.[1];
  if (near !== undefined) return `the day from Monday to Friday nearest to day ${near}`;
  return `day ${termText(term, String, 1, 31)}`;
}

function weekdayText(field: string): string {
  const terms = field.split(',').map((term) => {
    const [day = '', nth] = term.split('#');
    if (nth !== undefined) {
      return `the ${nth === 'L' ? 'last' : (NTH[Number(nth)] ?? '')} ${WEEKDAYS[Number(day)] ?? ''}`;
    }
    return termText(term, (value) => WEEKDAYS[value] ?? '', 0, 6);
  });
  return listText(terms);
}

/** `5`, `1-5`, `*`/2, `1-31/2`. */
function termText(term: string, name: (value: number) => string, min: number, max: number): string {
  const [range = '', step] = term.split('/');
  const [from = '', to] = range === '*' ? [String(min), String(max)] : range.split('-');
  const text =
    to === undefined ? name(Number(from)) : `${name(Number(from))} to ${name(Number(to))}`;
  return step === undefined ? text : `${text} in steps of ${step}`;
}

function listText(terms: readonly string[]): string {
  if (terms.length < 2) return terms.join('');
  return `${terms.slice(0, -1).join(', ')} and ${terms.at(-1)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
