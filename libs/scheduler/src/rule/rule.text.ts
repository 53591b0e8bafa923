import { RRuleTemporal } from 'rrule-temporal';
import { toText } from 'rrule-temporal/totext';
import { cronText } from './cron.text.js';
import type { Calendar, CheckedRule } from './rule.js';

const DAY_NAMES: Readonly<Record<string, string>> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

/** A rule as one English sentence: 'At 07:00 every day (Europe/Madrid), except on Saturday, Sunday.' */
export function ruleText(rule: CheckedRule): string {
  const { start, end, limit, window, jitter } = rule;
  const parts = [kindText(rule)];
  if (rule.include) parts.push(`only ${rule.include.map(calendarText).join(' or ')}`);
  if (rule.exclude) parts.push(`except ${rule.exclude.map(calendarText).join(' and ')}`);
  if (rule.onExcluded === 'next-day') parts.push('moved to the next day that is left');
  if (start !== undefined) parts.push(`from ${shortText(start)}`);
  if (end !== undefined) parts.push(`until ${shortText(end)}`);
  if (limit !== undefined) parts.push(limit === 1 ? 'once' : `${limit} times`);
  if (window !== undefined) {
    parts.push(
      typeof window === 'string'
        ? `spread over ${window} of the time to the next`
        : `spread over ${durationText(window)}`,
    );
  }
  if (jitter !== undefined) parts.push(`up to ${durationText(jitter)} later`);
  const text = parts.join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function kindText({ cron, every, phase, at, rrule, tz }: CheckedRule): string {
  if (cron) return `${cron.map(cronText).join('; and ')} (${tz})`;
  if (every !== undefined) {
    return `every ${durationText(every)}${phase ? `, ${durationText(phase)} after the full ones` : ''}`;
  }
  if (at) {
    const [first = ''] = at;
    return at.length === 1
      ? `once, at ${shortText(first)}`
      : `at ${at.length} dates, the first ${shortText(first)}`;
  }
  return `${recurrenceText(rrule ?? '')} (${tz})`;
}

/** The library says '9:30 AM UTC' of the clock without zone that it runs on. */
function recurrenceText(text: string): string {
  const lines = text.split('\n').filter((line) => /^(DTSTART|RRULE)/.test(line));
  const rruleString = lines
    .join('\n')
    .replace('DTSTART:', 'DTSTART;TZID=UTC:')
    .replace(/(UNTIL=\d+T\d+)/, '$1Z');
  const said = toText(new RRuleTemporal({ rruleString })).replace(
    /(\d{1,2})(?::(\d{2}))?(?::(\d{2}))? (AM|PM)/g,
    (_, hour: string, minute = '00', second: string | undefined, half: string) => {
      const hours = (Number(hour) % 12) + (half === 'PM' ? 12 : 0);
      return `${String(hours).padStart(2, '0')}:${minute}${second === undefined ? '' : `:${second}`}`;
    },
  );
  const dates = (name: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(',').length ?? 0;
  const more = [
    dates('RDATE') > 0 ? `, and at ${dates('RDATE')} dates` : '',
    dates('EXDATE') > 0 ? `, without ${dates('EXDATE')} dates` : '',
  ];
  return `${said.replaceAll(' UTC', '')}${more.join('')}`;
}

function calendarText({ days, hours, dates, ics }: Calendar): string {
  if (ics !== undefined) return `the ${ics.split('BEGIN:VEVENT').length - 1} events of a calendar`;
  if (dates !== undefined) {
    const list = [dates].flat();
    return list.length <= 3 ? list.join(', ') : `${list.length} dates`;
  }
  const parts = [
    days && days.length > 0 ? `on ${days.map((day) => DAY_NAMES[day]).join(', ')}` : '',
    hours === undefined ? '' : `at ${[hours].flat().join(', ')}`,
  ];
  return parts.filter(Boolean).join(' ');
}

/** `1h 30m`. */
export function durationText(ms: number): string {
  let rest = ms;
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join(' ') || '0s';
}

/** `2026-12-24T18:00Z`: without the seconds when there are none. */
function shortText(iso: string): string {
  return iso.replace(/:00\.000Z$/, 'Z').replace(/\.000Z$/, 'Z');
}
