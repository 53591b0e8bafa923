import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { useActors } from '../api/actors.js';
import type { Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { UnseenLetters } from '../dead-letters/unseen.letters.js';
import { FailureNote } from '../parts/failure.note.js';
import { Figure, Figures } from '../parts/figure.js';
import { Page } from '../parts/page.js';
import { StateBadge } from '../parts/state.badge.js';
import { Activity } from './activity.js';
import { Backlog } from './backlog.js';
import { useTroubles } from './troubles.js';

type Counts = Shown['Actor']['counts'];

/** What needs attention, and how much is done and waits. */
export function OverviewPage(): ReactElement {
  const { may } = useMe();
  const { actors } = useActors();
  return (
    <Page title="Overview">
      <Attention />
      {actors && <Sums actors={actors} />}
      {may('actors:read') ? (
        <>
          <Activity />
          <Backlog actors={actors} />
        </>
      ) : (
        <p className="quiet">What actors do is for those who may read all tenants.</p>
      )}
    </Page>
  );
}

function Attention(): ReactElement {
  const { troubles, letters, error } = useTroubles();
  return (
    <section>
      <h2>Needs attention</h2>
      <FailureNote error={error} />
      {!troubles && <p className="quiet">Loading…</p>}
      {troubles?.length === 0 && <p className="calm">Nothing.</p>}
      {troubles && troubles.length > 0 && (
        <ul className="troubles">
          {troubles.map(({ id, state, what, href }) => (
            <li key={id}>
              <StateBadge state={state} /> {href ? <Link href={href}>{what}</Link> : what}
            </li>
          ))}
        </ul>
      )}
      {letters && <UnseenLetters groups={letters} />}
    </section>
  );
}

function Sums({ actors }: { actors: readonly Shown['Actor'][] }): ReactElement {
  const sum = (name: keyof Counts): number =>
    actors.reduce((total, { counts }) => total + counts[name], 0);
  const throughput = actors.reduce((total, actor) => total + actor.throughput, 0);
  const dead = sum('dead');
  return (
    <Figures name="All actors">
      <Figure name="T per s">{+throughput.toFixed(1)}</Figure>
      <Figure name="Waiting" href="/actors">
        {sum('waiting').toLocaleString('en')}
      </Figure>
      <Figure name="Active" href="/actors">
        {sum('active').toLocaleString('en')}
      </Figure>
      <Figure name="Delayed" href="/actors">
        {sum('delayed').toLocaleString('en')}
      </Figure>
      <Figure name="Dead letters" href="/dead-letters" tone={dead > 0 ? 'bad' : undefined}>
        {dead.toLocaleString('en')}
      </Figure>
    </Figures>
  );
}
