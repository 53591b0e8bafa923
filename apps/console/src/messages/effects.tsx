import { useQuery } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import type { Shown } from '../api/client.js';
import { StateBadge } from '../parts/state.badge.js';
import { POLL } from '../api/queries.js';
import { hasEnded } from './ended.js';
import { findMessage } from './find.message.js';

type Message = Shown['Message'];

/** Messages that the turn of this one has sent, with what became of them; each leads on to its own. */
export function Effects({ message }: { message: Message }): ReactElement | null {
  const { id, effects } = message;
  const { data } = useQuery({
    queryKey: ['effects', id, effects?.total],
    queryFn: () => Promise.all((effects?.items ?? []).map((each) => findMessage(each.id))),
    enabled: effects !== undefined,
    // What has ended stays as it is.
    refetchInterval: ({ state }) =>
      state.data?.every((each) => !each || hasEnded(each)) ? false : POLL,
  });
  if (!effects) return null;
  const more = effects.total - effects.items.length;
  return (
    <section>
      <h2>Effects</h2>
      <ul className="tree">
        {effects.items.map((each, index) => {
          const found = data?.[index];
          return (
            <li key={each.id}>
              {found?.type ?? each.actor} <Link href={pathTo('messages', each.id)}>{each.id}</Link>{' '}
              {found && <StateBadge state={found.state} />}
              {data && !found && <span className="quiet">no longer kept</span>}
              {found?.effects && <span className="quiet"> sent {found.effects.total} more</span>}
            </li>
          );
        })}
      </ul>
      {more > 0 && <p className="quiet">And {more} more.</p>}
    </section>
  );
}
