import { useSearchParams } from 'wouter';

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
      setParams((before) => {
        const after = new URLSearchParams(before);
        // A cursor belongs to the filters it was made with.
        for (const [name, value] of Object.entries({ cursor: undefined, ...values })) {
          if (value) after.set(name, value);
          else after.delete(name);
        }
        return after;
      }),
  };
}
