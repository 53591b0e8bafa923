import { useActors } from './actors.js';
import type { Shown } from './client.js';

/** Messages that actors take, by type. */
export function useMessageTypes(): Shown['Actor']['messages'] {
  const { actors = [] } = useActors();
  const known = actors.flatMap(({ messages }) => messages);
  return known.sort((one, other) => one.type.localeCompare(other.type));
}
