import type { Violation } from '@callsheet/messaging';
import { type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ProblemError } from './problem.js';

/**
 * Checks what has a schema: `@Body({ schema })`, `@Query({ schema })`. Unlike Nest's own pipe it takes nothing out of the
 * value: a key like `constructor` must be refused by name, not dropped in silence.
 */
export class SchemaPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (!schema) return value;
    const result = await schema['~standard'].validate(value);
    if (!result.issues) return result.value;
    if (type === 'body' && value === undefined) {
      throw new ProblemError('malformed_json', 'the body is empty');
    }
    const errors = violationsOf(result.issues);
    const detail = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message));
    throw new ProblemError(
      type === 'body' ? 'invalid_body' : 'invalid_query',
      detail.slice(0, 10).join('; '),
      { errors },
    );
  }
}

/** What is wrong, with the fields at fault; an unknown field is named by its own path. */
export function violationsOf(issues: readonly StandardSchemaV1.Issue[]): Violation[] {
  return issues.flatMap(toViolations);
}

function toViolations(issue: StandardSchemaV1.Issue): Violation[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  if ('keys' in issue && Array.isArray(issue.keys)) {
    return issue.keys.map((key) => ({
      path: [...path, String(key)].join('/'),
      message: 'is not a known field',
    }));
  }
  return [{ path: path.join('/'), message: issue.message }];
}
