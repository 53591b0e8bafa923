/**
 * At most 200 characters of what a peer answered, on one line and without control characters: fit for a log and for
 * every store (PostgreSQL refuses NUL and half surrogate pairs).
 */
export function excerpt(answer: string): string {
  const line = answer.slice(0, 1_000).replace(/[\s\p{Cc}]+/gu, ' ');
  return line
    .trim()
    .slice(0, 200)
    .replace(/\p{Surrogate}/gu, '');
}
