import { useEffect, useRef, type ReactElement } from 'react';
import { Link, Route, Router, Switch, useLocation } from 'wouter';
import { decoded, useAddress, useQueryString } from './address.js';
import { useMe, type Permission } from './api/me.js';
import { ActorPage } from './actors/actor.page.js';
import { ActorsPage } from './actors/actors.page.js';
import { KeyPage } from './actors/key.page.js';
import { AuditPage } from './audit/audit.page.js';
import { DeadLettersPage } from './dead-letters/dead.letters.page.js';
import { LiveLight } from './live.light.js';
import { MessagePage } from './messages/message.page.js';
import { MessagesPage } from './messages/messages.page.js';
import { OverviewPage } from './overview/overview.page.js';
import { FailureNote } from './parts/failure.note.js';
import { Page } from './parts/page.js';
import { ThemeSwitch } from './parts/theme.switch.js';
import { RoutesPage } from './routes/routes.page.js';
import { NewSchedulePage } from './schedules/new.schedule.page.js';
import { SchedulePage } from './schedules/schedule.page.js';
import { SchedulesPage } from './schedules/schedules.page.js';
import { PipelinePage } from './sync/pipeline.page.js';
import { SyncPage } from './sync/sync.page.js';

/** Pages of the menu, and what they are for. */
const MENU: readonly (readonly [path: string, name: string, needs?: Permission])[] = [
  ['/', 'Overview'],
  ['/actors', 'Actors', 'actors:read'],
  ['/messages', 'Messages', 'messages:read'],
  ['/dead-letters', 'Dead letters', 'dead-letters:read'],
  ['/schedules', 'Schedules', 'schedules:read'],
  ['/sync', 'Sync', 'sync:read'],
  ['/routes', 'Routes', 'routes:read'],
  ['/audit', 'Audit', 'audit:read'],
];

/** The whole console: the menu and the page that the address names. */
export function App(): ReactElement {
  return (
    <Router hook={useAddress} searchHook={useQueryString}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Menu />
      <main id="main" tabIndex={-1}>
        <Pages />
      </main>
    </Router>
  );
}

function Pages(): ReactElement {
  const { me, may, error } = useMe();
  const [location] = useLocation();
  if (!me) return error ? <FailureNote error={error} /> : <p className="quiet">Loading…</p>;
  const entry = MENU.find(([path]) => isAt(path, location));
  const [, name = '', needs] = entry ?? [];
  if (needs && !may(needs)) {
    return (
      <Page title={name}>
        <p>This is not for you: it needs the permission {needs}.</p>
      </Page>
    );
  }
  return (
    <Switch>
      <Route path="/" component={OverviewPage} />
      <Route path="/actors" component={ActorsPage} />
      <Route path="/actors/:actor">{({ actor }) => <ActorPage actor={decoded(actor)} />}</Route>
      <Route path="/actors/:actor/keys/:key">
        {({ actor, key }) => <KeyPage actor={decoded(actor)} name={decoded(key)} />}
      </Route>
      <Route path="/messages" component={MessagesPage} />
      <Route path="/messages/:id">{({ id }) => <MessagePage id={decoded(id)} />}</Route>
      <Route path="/dead-letters" component={DeadLettersPage} />
      <Route path="/schedules" component={SchedulesPage} />
      <Route path="/schedules/new" component={NewSchedulePage} />
      <Route path="/schedules/of/:id">{({ id }) => <SchedulePage id={decoded(id)} />}</Route>
      <Route path="/sync" component={SyncPage} />
      <Route path="/sync/:pipeline">
        {({ pipeline }) => <PipelinePage name={decoded(pipeline)} />}
      </Route>
      <Route path="/routes" component={RoutesPage} />
      <Route path="/audit" component={AuditPage} />
      <Route>
        <Page title="Nothing here">
          <p>
            No page has this address. <Link href="/">Overview</Link>
          </p>
        </Page>
      </Route>
    </Switch>
  );
}

function Menu(): ReactElement {
  const { me, may } = useMe();
  const [location] = useLocation();
  const open = useRef<HTMLDetailsElement>(null);
  // On a phone the menu is folded; going somewhere folds it again.
  useEffect(() => open.current?.removeAttribute('open'), [location]);
  const shown = MENU.filter(([, , needs]) => !needs || may(needs));
  const links = shown.map(([path, name]) => (
    <Link key={path} href={path} aria-current={isAt(path, location) ? 'page' : undefined}>
      {name}
    </Link>
  ));
  return (
    <header className="bar">
      <Link href="/" className="brand">
        Callsheet
      </Link>
      <nav aria-label="Pages" className="wide">
        {links}
      </nav>
      <LiveLight />
      <ThemeSwitch />
      {may('board:read') && <a href="/board">Board</a>}
      <a href="/login">{me ? me.name : 'Account'}</a>
      <details className="narrow" ref={open}>
        <summary>Menu</summary>
        <nav aria-label="Pages">{links}</nav>
      </details>
    </header>
  );
}

/** Whether an address is of a page of the menu, or below it. */
function isAt(path: string, location: string): boolean {
  return location === path || (path !== '/' && location.startsWith(`${path}/`));
}
