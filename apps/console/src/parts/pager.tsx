import type { ReactElement } from 'react';
import { useUrlState } from './url.state.js';

/** To the next page of a list, and back to the first. The browser's own back leads to the one before. */
export function Pager({ next }: { next: string | undefined }): ReactElement | null {
  const { get, set } = useUrlState();
  if (!next && !get('cursor')) return null;
  return (
    <nav aria-label="Pages of the list" className="pager">
      <button type="button" disabled={!get('cursor')} onClick={() => set({ cursor: undefined })}>
        First
      </button>
      <button type="button" disabled={!next} onClick={() => set({ cursor: next })}>
        Next
      </button>
    </nav>
  );
}
