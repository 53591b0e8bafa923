import type { ReactElement } from 'react';

/** Options of a choice, and what the address says, which is always there: it would else be taken out. */
export function Choices({
  options,
  value,
}: {
  options: readonly string[];
  /** What is chosen; undefined or '': nothing. */
  value: string | undefined;
}): ReactElement[] {
  const all = new Set([...options, ...(value ? [value] : [])]);
  return [...all].map((option) => <option key={option}>{option}</option>);
}
