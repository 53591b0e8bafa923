import type { Shown } from '../api/client.js';
import { useUrlState } from '../parts/url.state.js';

/** Which dead letters, as the API takes it. */
export type LetterFilter = Omit<Shown['RedriveMany'], 'limit' | 'dryRun'>;

/** What a letter may have died of. */
export const REASONS = [
  'exhausted',
  'rejected',
  'invalid',
  'unhandled',
  'expired',
  'crashed',
  'quarantined',
] as const;

const FILTERS = ['actor', 'type', 'reason', 'fingerprint', 'error', 'before'] as const;

/** The filter that stands in the address. */
export function useLetterFilter(): LetterFilter {
  const { get } = useUrlState();
  const set = FILTERS.map((name) => [name, get(name)] as const);
  return Object.fromEntries(set.filter(([, value]) => value !== undefined)) as LetterFilter;
}
