import { violations, type JsonObject } from '@callsheet/messaging';
import { z } from 'zod';

/** Somebody's change of something, as it is kept. */
export const auditEntry = z.object({
  at: z.iso.datetime().describe('when it was asked for'),
  who: z.string().describe('api-key:<id>, token:<subject>, environment or local'),
  name: z.string().describe('of who asked, then'),
  call: z.string().describe('method and route'),
  path: z.string().describe('what it was about'),
  status: z
    .int()
    .optional()
    .describe('of the answer; absent: the process ended before it was known'),
  reason: z.string().optional().describe('why, as the header X-Reason or the body said'),
  asked: z.record(z.string(), z.unknown()).optional().describe('what the body asked for'),
  before: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('what of it became otherwise, as it was; absent: it was not there, or is not shown'),
  after: z.record(z.string(), z.unknown()).optional().describe('the same, as it is now'),
  omitted: z.array(z.string()).optional().describe('fields that were too large to keep'),
});
export type AuditEntry = z.infer<typeof auditEntry>;

/** The most bytes of JSON of one of the objects in an entry: a row of a journal holds three, and the rest. */
const MOST_BYTES = 1_000;
/** A row holds 4,096. */
const ROW_BYTES = 4_000;

/** What became otherwise between two views of the same, and what of it is too large to keep. */
export function difference(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): Pick<AuditEntry, 'before' | 'after' | 'omitted'> {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const changed = [...names].filter(
    (name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]),
  );
  const was = within(before, changed);
  const is = within(after, changed);
  const omitted = [...new Set([...was.omitted, ...is.omitted])];
  return {
    ...(before && { before: was.kept }),
    ...(after && { after: is.kept }),
    ...(omitted.length > 0 && { omitted }),
  };
}

/** As much of an entry as a row of the journal holds: what it says of the thing goes first. */
export function fitted(entry: AuditEntry): AuditEntry {
  const whole = { ...entry, name: entry.name.slice(0, 100), who: entry.who.slice(0, 250) };
  for (const field of ['after', 'before', 'asked', 'reason'] as const) {
    if (Buffer.byteLength(JSON.stringify(whole)) <= ROW_BYTES) break;
    delete whole[field];
    whole.omitted = [...(whole.omitted ?? []), field];
  }
  return whole;
}

/** The fields of these names that fit, in their order, and the names of those that do not. */
export function within(
  all: JsonObject | undefined,
  names: readonly string[],
): { kept: JsonObject; omitted: string[] } {
  const kept: JsonObject = {};
  const omitted: string[] = [];
  let size = 0;
  for (const name of names) {
    const value = all?.[name];
    if (value === undefined) continue;
    // A body is not checked yet, and may hold what no message carries.
    if (violations({ [name]: value }).length > 0) continue;
    const bytes = Buffer.byteLength(JSON.stringify({ [name]: value }));
    if (size + bytes > MOST_BYTES) omitted.push(name.slice(0, 50));
    else {
      kept[name] = value;
      size += bytes;
    }
  }
  return { kept, omitted: omitted.slice(0, 10) };
}
