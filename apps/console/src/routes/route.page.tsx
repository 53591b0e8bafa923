import { useState, type ReactElement } from 'react';
import { Link, useLocation } from 'wouter';
import { query } from '../address.js';
import { api, client, reasonHeader, type Shown } from '../api/client.js';
import { etagOf } from '../api/etag.js';
import { useMe } from '../api/me.js';
import { isMissing } from '../api/problem.js';
import { refresh } from '../api/queries.js';
import { ActionButton } from '../parts/action.button.js';
import { Facts } from '../parts/facts.js';
import { FailureNote } from '../parts/failure.note.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { StateBadge } from '../parts/state.badge.js';
import { useUrlState } from '../parts/url.state.js';
import { RouteForm } from './route.form.js';
import { RouteHistory } from './route.history.js';
import { editableOf, matchText, receiverText } from './route.text.js';
import { RouteTrial } from './route.trial.js';

const EXAMPLE = {
  order: 100,
  match: { topic: 'order.*', when: 'data.total > 100' },
  to: ['alert'],
};

/** The address of a route's page. */
export function pageOf(id: string): string {
  return `/routes${query({ id })}`;
}

/** Makes a route. */
export function NewRoutePage(): ReactElement {
  const [, go] = useLocation();
  const { may } = useMe();
  return (
    <Page title="New route">
      {may('routes:write') ? (
        <RouteForm
          initial={{ id: '', rule: EXAMPLE }}
          isNew
          save={async ({ id, rule }, reason) => {
            await client.PUT('/v1/routes/{id}', {
              params: { path: { id }, header: { 'If-None-Match': '*' } },
              body: rule as Shown['RoutePut'],
              headers: reasonHeader(reason),
            });
            await refresh('/v1/routes');
            go(pageOf(id));
          }}
        />
      ) : (
        <p>You may not make routes: an admin may.</p>
      )}
    </Page>
  );
}

/** A route: its rule, its history; `edit` in the address changes it. */
export function RoutePage({ id }: { id: string }): ReactElement {
  const { get, set } = useUrlState();
  const { may } = useMe();
  const { data, error } = api.useQuery('get', '/v1/routes/{id}', { params: { path: { id } } });
  const isEdited = get('edit') !== undefined && may('routes:write');
  // It may have been deleted since.
  const route = isMissing(error) ? undefined : data;
  return (
    <Page
      title={isEdited ? `Change route ${id}` : `Route ${id}`}
      actions={route && may('routes:write') && <Actions route={route} isEdited={isEdited} />}
    >
      <p>
        <Link href="/routes">All routes</Link>
      </p>
      <FailureNote error={error} />
      {isEdited ? (
        route && <Editing route={route} done={() => set({ edit: undefined })} />
      ) : (
        <>
          {route && <Rule route={route} />}
          <RouteHistory id={id} />
          {route && <RouteTrial />}
        </>
      )}
    </Page>
  );
}

function Editing({ route, done }: { route: Shown['Route']; done: () => void }): ReactElement {
  // What was shown when the editing began is what is changed: if somebody else changes it meanwhile, saving says so.
  const [begun] = useState(route);
  const { id } = begun;
  return (
    <RouteForm
      initial={{ id, rule: editableOf(begun) }}
      isNew={false}
      save={async ({ rule }, reason) => {
        await client.PUT('/v1/routes/{id}', {
          params: { path: { id }, header: { 'If-Match': etagOf(begun) } },
          body: rule as Shown['RoutePut'],
          headers: reasonHeader(reason),
        });
        await refresh('/v1/routes');
        done();
      }}
    />
  );
}

function Actions({ route, isEdited }: { route: Shown['Route']; isEdited: boolean }): ReactElement {
  const { set } = useUrlState();
  const [, go] = useLocation();
  if (isEdited) {
    return (
      <button type="button" onClick={() => set({ edit: undefined })}>
        Leave as it is
      </button>
    );
  }
  return (
    <>
      <button type="button" onClick={() => set({ edit: 'yes' })}>
        Change
      </button>
      <ActionButton
        name="Delete"
        reason="required"
        danger
        run={async (_form, reason) => {
          await client.DELETE('/v1/routes/{id}', {
            params: { path: { id: route.id }, header: { 'If-Match': etagOf(route) } },
            headers: reasonHeader(reason),
          });
          go('/routes');
          void refresh('/v1/routes');
        }}
      >
        <p>Events published from then on are not led by it. Its history stays.</p>
      </ActionButton>
    </>
  );
}

function Rule({ route }: { route: Shown['Route'] }): ReactElement {
  const { order, match, to, set, last, disabled, revision, changedAt } = route;
  return (
    <>
      <Facts
        facts={{
          Takes: <strong>{matchText(match)}</strong>,
          'Leads to': to.map(receiverText).join('; '),
          'Says anew': set && <code>{JSON.stringify(set)}</code>,
          Order: order,
          Last: last && 'no route behind it is looked at when it matches',
          State: <StateBadge state={disabled ? 'disabled' : 'active'} />,
          Revision: (
            <>
              {revision}, <Moment at={changedAt} />
            </>
          ),
        }}
      />
      <details>
        <summary>As JSON</summary>
        <JsonView data={editableOf(route)} name="The route" />
      </details>
    </>
  );
}
