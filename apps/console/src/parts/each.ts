import { textOf } from '../api/problem.js';

/**
 * Makes a call for each of a few ids, one after the other; one that fails does not keep the others from theirs.
 *
 * @throws Error that says how many were done, and why the others were not
 */
export async function each(
  ids: readonly string[],
  call: (id: string) => Promise<unknown>,
): Promise<void> {
  const failures: string[] = [];
  for (const id of ids) {
    try {
      await call(id);
    } catch (error) {
      failures.push(`${id}: ${textOf(error)}`);
    }
  }
  if (failures.length === 0) return;
  throw new Error(
    [`${ids.length - failures.length} of ${ids.length} done`, ...failures].join('\n'),
  );
}
