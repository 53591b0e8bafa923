/** An offset that only zone data of a certain release or newer has. */
interface Canary {
  readonly zone: string;
  readonly at: string;
  /** Minutes east of UTC at that time. */
  readonly offset: number;
  readonly since: string;
  readonly fact: string;
}

/**
 * Changes of law that schedules of today depend on, from the NEWS of the IANA releases named, checked with zdump of 2026f. Old
 * releases of Node carry older data.
 */
const CANARIES: readonly Canary[] = [
  {
    zone: 'America/Vancouver',
    at: '2026-12-01T00:00Z',
    offset: -7 * 60,
    since: '2026b',
    fact: 'British Columbia does not set its clocks back in November 2026',
  },
  {
    zone: 'America/Edmonton',
    at: '2026-12-01T00:00Z',
    offset: -6 * 60,
    since: '2026c',
    fact: 'Alberta does not set its clocks back in November 2026',
  },
  {
    zone: 'Africa/Casablanca',
    at: '2026-12-01T00:00Z',
    offset: 0,
    since: '2026c',
    fact: 'Morocco stays on +00:00 from 2026-09-20 on',
  },
  {
    zone: 'Europe/Chisinau',
    at: '2027-03-28T00:30Z',
    offset: 2 * 60,
    since: '2026b',
    fact: 'Moldova changes its clocks at 01:00 UTC, like the European Union',
  },
  {
    zone: 'America/Winnipeg',
    at: '2026-12-01T00:00Z',
    offset: -5 * 60,
    since: '2026e',
    fact: 'Manitoba does not set its clocks back in November 2026',
  },
  {
    zone: 'America/Havana',
    at: '2026-12-01T00:00Z',
    offset: -4 * 60,
    since: '2026f',
    fact: 'Cuba does not set its clocks back in November 2026',
  },
];

/**
 * What the time zone data of this Node gets wrong, a sentence for each zone; empty when all is known. `process.versions.tz` is the
 * release of the data; it comes with Node, or with the ICU of the system.
 *
 * @param zone only what concerns this zone
 */
export function tzdataProblems(zone?: string): string[] {
  return CANARIES.filter((canary) => zone === undefined || canary.zone === zone)
    .filter((canary) => offsetAt(canary.zone, Date.parse(canary.at)) !== canary.offset)
    .map(
      ({ zone: name, since, fact }) =>
        `${name}: ${fact}, which the time zone data of this Node (${process.versions.tz ?? 'unknown'}) does not know; it needs ${since} or newer`,
    );
}

/** Asks Intl itself, by another way than zone.ts. */
function offsetAt(zone: string, instant: number): number | undefined {
  const text = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(instant)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const match = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(text ?? '');
  if (!match) return undefined;
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
  return match[1] === '-' ? -minutes : minutes;
}
