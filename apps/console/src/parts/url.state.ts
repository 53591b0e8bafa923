import { useSearchParams } from 'wouter';
import { query } from '../address.js';

type Values = Readonly<Record<string, string | undefined>>;

/** What a list shows, in the address: filters and the page, so that it can be sent to somebody. */
export function useUrlState(): {
  /** A value of the address; undefined when it is not there. */
  get: (name: string) => string | undefined;
  /** Changes values; undefined or '' takes one out. What is not named stays, but the cursor. */
  set: (values: Values) => void;
  /** As `set`, in place of the address that is there: who goes back goes to the page before. */
  replace: (values: Values) => void;
} {
  const [params, setParams] = useSearchParams();
  const put = (values: Values, replace: boolean): void =>
    // A cursor belongs to the filters it was made with.
    setParams((before) => query({ cursor: undefined, ...values }, before.toString()), { replace });
  return {
    get: (name) => params.get(name) ?? undefined,
    set: (values) => put(values, false),
    replace: (values) => put(values, true),
  };
}
