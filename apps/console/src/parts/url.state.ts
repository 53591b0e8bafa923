import { useSearchParams } from 'wouter';
import { query } from '../address.js';

/** What a list shows, in the address: filters and the page, so that it can be sent to somebody. */
export function useUrlState(): {
  /** A value of the address; undefined when it is not there. */
  get: (name: string) => string | undefined;
  /** Changes values; undefined or '' takes one out. What is not named stays, but the cursor. */
  set: (values: Readonly<Record<string, string | undefined>>) => void;
} {
  const [params, setParams] = useSearchParams();
  return {
    get: (name) => params.get(name) ?? undefined,
    set: (values) =>
      // A cursor belongs to the filters it was made with.
      setParams((before) => query({ cursor: undefined, ...values }, before.toString())),
  };
}
