import { icsCalendar } from './calendar.ics.js';
import type { Calendar, Weekday } from './rule.js';
import { DAY, stretchesOf, type Stretch, type Times } from './stretch.js';
import type { Zone } from './zone.js';

const WEEKDAYS: readonly Weekday[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** What a checked calendar says. */
export function timesOf(calendar: Calendar, zone: Zone): Times {
  if (calendar.ics !== undefined) return icsCalendar(calendar.ics, zone);
  if (calendar.dates !== undefined) return datesCalendar([calendar.dates].flat());
  return weeklyCalendar(calendar.days ?? WEEKDAYS, [calendar.hours ?? []].flat());
}

function weeklyCalendar(days: readonly Weekday[], hours: readonly string[]): Times {
  const on = WEEKDAYS.map((day) => days.includes(day));
  const ranges = hours.flatMap((text) => timesOfDay(text));
  return {
    at(wall) {
      const midnight = Math.floor(wall / DAY) * DAY;
      let from = midnight;
      let to = midnight + DAY;
      if (!on[new Date(wall).getUTCDay()]) return { has: false, from, to };
      if (ranges.length === 0) return { has: true, from, to };
      let has = false;
      for (const range of ranges) {
        for (const edge of [midnight + range.from, midnight + range.to]) {
          if (edge <= wall) from = Math.max(from, edge);
          else to = Math.min(to, edge);
        }
        has ||= wall - midnight >= range.from && wall - midnight < range.to;
      }
      return { has, from, to };
    },
  };
}

/** `'22:00-06:00'` is two stretches of a day. */
function timesOfDay(text: string): Stretch[] {
  const [from = 0, to = 0] = text.split('-').map((time) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return (hour * 60 + minute) * 60_000;
  });
  if (from < to) return [{ from, to }];
  return [
    { from: 0, to },
    { from, to: DAY },
  ].filter((stretch) => stretch.from < stretch.to);
}

function datesCalendar(dates: readonly string[]): Times {
  const yearly = new Set(dates.filter((date) => date.length === 5));
  const stretches = dates
    .filter((date) => date.length > 5)
    .map((date) => {
      const [first = '', last = first] = date.split('/');
      return { from: Date.parse(first), to: Date.parse(last) + DAY };
    });
  const fixed = stretchesOf(stretches);
  if (yearly.size === 0) return fixed;
  return {
    at(wall) {
      const known = fixed.at(wall);
      const midnight = Math.floor(wall / DAY) * DAY;
      const has = known.has || yearly.has(new Date(wall).toISOString().slice(5, 10));
      return { has, from: midnight, to: midnight + DAY };
    },
  };
}
