import { OptionError } from '@callsheet/messaging';
import { ApiHeader } from './openapi.decorators.js';

const ETAG = /^"([1-9]\d{0,14})"$/;

/** What must be so before something is changed: there is none, there is one, or it has this revision. */
export type ChangeCondition = 'none' | 'some' | number;

/** The header of an answer that tells the revision of what it shows. */
export const ETAG_HEADER = {
  ETag: { description: 'its revision, for If-Match', schema: { type: 'string' } },
} as const;

/** It takes `If-Match`. */
export const ApiIfMatch = (): MethodDecorator =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'only if it is as in the answer with this ETag, else 412; * only if there is one',
  });

/** It takes `If-None-Match: *`. */
export const ApiIfNoneMatch = (): MethodDecorator =>
  ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: '* only if there is none of this id, else 412',
  });

/** The entity tag of a revision. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/**
 * The condition that the headers of a request name.
 *
 * @throws OptionError for what is not an entity tag of ours, or `*`
 */
export function conditionOf(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): ChangeCondition | undefined {
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
  throw new OptionError('If-Match', 'must be an ETag as it was answered, such as "3", or *');
}
