import { ApiQuery } from './openapi.decorators.js';
import { z } from 'zod';
import { ProblemError } from './problem.js';

/** How many entries a page has, when nobody says. */
export const DEFAULT_LIMIT = 20;

/** `limit` in a query. */
export const pageLimit = z
  .string()
  .regex(/^([1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
  .transform(Number)
  .optional();

/** `cursor` in a query. */
export const pageCursor = z.string().max(1_024).optional();

/** The query of a list in pages. */
export const pageQuery = z.strictObject({ limit: pageLimit, cursor: pageCursor });
export type PageQuery = z.output<typeof pageQuery>;

/** `next` in an answer. */
export const pageNext = z
  .string()
  .optional()
  .describe('cursor of the next page; absent on the last');

export const ApiLimit = (): MethodDecorator =>
  ApiQuery({
    name: 'limit',
    required: false,
    schema: { type: 'integer', minimum: 1, maximum: 100, default: DEFAULT_LIMIT },
  });

export const ApiCursor = (): MethodDecorator =>
  ApiQuery({
    name: 'cursor',
    required: false,
    description: '`next` of the page before',
    schema: { type: 'string' },
  });

export function badQuery(path: string, message: string): ProblemError {
  return new ProblemError('invalid_query', `${path} ${message}`, { errors: [{ path, message }] });
}

export function badCursor(): ProblemError {
  return badQuery('cursor', 'is not a cursor; take it from `next` of the page before');
}
