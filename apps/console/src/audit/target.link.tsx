import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { decoded, pathTo, query } from '../address.js';

/** What a change was about, as a link to its page if it has one. */
export function TargetLink({
  target,
  path,
}: {
  /** As the API names it: `schedules/weekly`. A process of an earlier release, while there is one, does not. */
  target: string | undefined;
  path: string;
}): ReactElement {
  const parts = (target ?? path).split('/').map(decoded);
  const page = pageOf(parts);
  const text = parts.join('/');
  return page === undefined ? <span>{text}</span> : <Link href={page}>{text}</Link>;
}

function pageOf([kind, id, below, key]: readonly string[]): string | undefined {
  if (kind === undefined || id === undefined) return undefined;
  switch (kind) {
    case 'schedules':
      return pathTo('schedules', 'of', id);
    case 'routes':
      return `/routes${query({ id })}`;
    case 'actors':
      return below === 'keys' && key !== undefined
        ? pathTo('actors', id, 'keys', key)
        : pathTo('actors', id);
    case 'messages':
    case 'dead-letters':
      return pathTo('messages', id);
    case 'sync':
      return pathTo('sync', id);
    default:
      return undefined;
  }
}
