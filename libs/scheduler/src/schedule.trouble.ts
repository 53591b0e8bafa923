import { Message } from '@callsheet/messaging';
import { z } from 'zod';

/**
 * What a person should know of a schedule.
 *
 * - `missed`: occurrences did not run, because nothing was there when they were due.
 * - `late`: one runs, later than the grace.
 * - `failing`: a run failed, its retries included.
 * - `paused`: it has paused itself, because too many runs in a row failed.
 * - `dead`: its next occurrence cannot be computed, its state cannot be read, or its turns fail for good.
 * - `healed`: its timer, or its definition, was lost or wrong, and is right again.
 */
export type TroubleKind = 'missed' | 'late' | 'failing' | 'paused' | 'dead' | 'healed';

export interface Trouble {
  kind: TroubleKind;
  /** Nominal time of the first occurrence that is meant, epoch milliseconds. */
  nominal?: number;
  /** How many occurrences are meant; absent: one. */
  count?: number;
  detail: string;
}

const troubled = z.object({
  schedule: z.string(),
  kind: z.enum(['missed', 'late', 'failing', 'paused', 'dead', 'healed']),
  nominal: z.number().optional(),
  count: z.number().optional(),
  detail: z.string(),
});

/** Published when something is wrong with a schedule. Subscribe with `@On(ScheduleTroubled)`. */
export class ScheduleTroubled extends Message('schedule.troubled', troubled) {}
