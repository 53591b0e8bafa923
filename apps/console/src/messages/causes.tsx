import { useQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import type { Shown } from '../api/client.js';
import { StateBadge } from '../parts/state.badge.js';
import { findMessage } from './find.message.js';

type Message = Shown['Message'];

/** How far back causes are looked for. */
const MOST = 10;

/** A message that led to the one shown, with what is known of it. */
interface Cause {
  id: string;
  /** Undefined when it is no longer kept. */
  message?: Message;
}

/** From the first message of the chain to this one, each below that whose turn sent it. */
export function Causes({ message }: { message: Message }): ReactElement | null {
  const { id, causationId, correlationId } = message;
  const { data } = useQuery({
    queryKey: ['causes', id],
    queryFn: () => causesOf(message),
    enabled: causationId !== undefined,
    // What has led to a message does not change.
    staleTime: Infinity,
    refetchInterval: false,
  });
  if (causationId === undefined) return null;
  const chain = data ?? [];
  const isWhole = correlationId === undefined || chain[0]?.id === correlationId;
  const all = isWhole ? chain : [{ id: correlationId }, ...chain];
  return (
    <section>
      <h2>Causes</h2>
      <Tree of={all}>
        <li aria-current="true">
          {message.type} <span className="quiet">this message</span>
        </li>
      </Tree>
    </section>
  );
}

function Tree({ of: [first, ...rest], children }: { of: readonly Cause[]; children: ReactNode }) {
  if (!first) return <ul className="tree">{children}</ul>;
  const { id, message } = first;
  return (
    <ul className="tree">
      <li>
        {message && `${message.type} `}
        <Link href={pathTo('messages', id)}>{id}</Link>{' '}
        {message && <StateBadge state={message.state} />}
        <Tree of={rest}>{children}</Tree>
      </li>
    </ul>
  );
}

/** Oldest first. Ends with what is no longer kept. */
async function causesOf({ causationId }: Message): Promise<Cause[]> {
  const causes: Cause[] = [];
  let id = causationId;
  while (id !== undefined && causes.length < MOST) {
    const message: Message | undefined = await findMessage(id);
    causes.unshift({ id, ...(message && { message }) });
    id = message?.causationId;
  }
  return causes;
}
