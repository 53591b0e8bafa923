import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { zoneName, zoneOf } from './zone.js';

/** What Intl says, by another way than the zone asks it. */
function offsetsOf(name: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: name,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return (instant) => Date.parse(`${format.format(instant).replace(' ', 'T')}Z`) - instant;
}

describe('a zone', () => {
  it('has the offsets of Intl, at its changes too', () => {
    for (const name of [
      'Europe/Madrid',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'Asia/Kathmandu',
      'America/Caracas',
    ]) {
      const zone = zoneOf(name);
      const offsetOf = offsetsOf(name);
      let at = Date.UTC(2000, 0, 1);
      for (let change = zone.nextTransition(at, Date.UTC(2040, 0, 1)); change;) {
        expect(zone.offset(change.at - 1_000)).toBe(offsetOf(change.at - 1_000));
        expect(zone.offset(change.at)).toBe(offsetOf(change.at));
        expect(zone.offset(change.at)).toBe(change.after);
        expect(change.before).toBe(offsetOf(change.at - 1_000));
        expect(zone.lastTransition(change.at, at)).toEqual(change);
        at = change.at;
        change = zone.nextTransition(at, Date.UTC(2040, 0, 1));
      }
      for (let week = 0; week < 40 * 52; week += 5) {
        const instant = Date.UTC(2000, 0, 1) + week * 7 * 86_400_000;
        expect(zone.offset(instant)).toBe(offsetOf(instant));
      }
    }
  });

  it('has changes that are less than a week apart', () => {
    const zone = zoneOf('America/Noronha');
    const from = Date.UTC(2000, 9, 1);
    const spring = zone.nextTransition(from, Date.UTC(2000, 11, 1));
    expect(spring?.at).toBe(970_970_400_000);
    expect(zone.nextTransition(970_970_400_000, Date.UTC(2000, 11, 1))?.at).toBe(971_571_600_000);
  });

  it('may be an offset', () => {
    expect(zoneOf('+05:45').offset(0)).toBe(5.75 * 3_600_000);
    expect(zoneOf('-0330').offset(0)).toBe(-3.5 * 3_600_000);
    expect(zoneOf('UTC').nextTransition(0, Infinity)).toBeUndefined();
  });

  it('has one spelling; an alias keeps its own', () => {
    expect(zoneName('europe/madrid', 'tz')).toBe('Europe/Madrid');
    expect(zoneName('Asia/Calcutta', 'tz')).toBe('Asia/Calcutta');
    expect(zoneName('utc', 'tz')).toBe('UTC');
    expect(zoneName('+0000', 'tz')).toBe('UTC');
    expect(zoneName('UTC+02:00', 'tz')).toBe('+02:00');
    expect(() => zoneName('Europe/Atlantis', 'tz')).toThrow(
      new OptionError('tz', "is not a known time zone: 'Europe/Atlantis'"),
    );
  });
});
