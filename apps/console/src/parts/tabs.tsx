import type { ReactElement } from 'react';
import { Link } from 'wouter';

/** Ways to look at the same; each has an address. */
export function Tabs({
  name,
  tabs,
}: {
  name: string;
  tabs: readonly { name: string; href: string; current: boolean }[];
}): ReactElement {
  return (
    <nav aria-label={name} className="tabs">
      {tabs.map((tab) => (
        <Link key={tab.name} href={tab.href} aria-current={tab.current ? 'page' : undefined}>
          {tab.name}
        </Link>
      ))}
    </nav>
  );
}
