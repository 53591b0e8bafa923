import { useActors } from './actors.js';
import type { Shown } from './client.js';

/** Messages that actors take, by type. @param actor whose alone; undefined: of all */
export function useMessageTypes(actor?: string): Shown['Actor']['messages'] {
  const { actors = [] } = useActors();
  const known = actors
    .filter(({ name }) => actor === undefined || name === actor)
    .flatMap(({ messages }) => messages);
  return known.sort((one, other) => one.type.localeCompare(other.type));
}
