import { OptionError } from '@callsheet/messaging';

const ETAG = /^"([1-9]\d{0,14})"$/;

/** What must be so before a route is changed: there is none, there is one, or it has this revision. */
export type RouteCondition = 'none' | 'some' | number;

/** The entity tag of a revision. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/**
 * The condition that the headers of a request name.
 *
 * @throws OptionError for what is not the tag of a route, or `*`
 */
export function conditionOf(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): RouteCondition | undefined {
  if (ifNoneMatch !== undefined) {
    if (ifMatch !== undefined) {
      throw new OptionError('If-None-Match', 'cannot be combined with If-Match');
    }
    if (ifNoneMatch.trim() === '*') return 'none';
    throw new OptionError('If-None-Match', 'must be *: only make one, change none');
  }
  if (ifMatch === undefined) return undefined;
  if (ifMatch.trim() === '*') return 'some';
  const [, revision] = ETAG.exec(ifMatch.trim()) ?? [];
  if (revision !== undefined) return Number(revision);
  throw new OptionError('If-Match', 'must be the ETag of a route, such as "3", or *');
}
