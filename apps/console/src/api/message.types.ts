import { useActors } from './actors.js';
import type { Shown } from './client.js';

/** A message that an actor takes. */
export type KnownMessage = Shown['Actor']['messages'][number];

/** Messages that actors take, by type. */
export function useMessageTypes(): KnownMessage[] {
  const { actors = [] } = useActors();
  const known = actors.flatMap(({ messages }) => messages);
  return known.sort((one, other) => one.type.localeCompare(other.type));
}
