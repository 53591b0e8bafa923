import { Fragment, type ReactElement, type ReactNode } from 'react';

/** Names and what is known under them; what is not known is left out. */
export function Facts({ facts }: { facts: Readonly<Record<string, ReactNode>> }): ReactElement {
  const known = Object.entries(facts).filter(
    ([, value]) => value !== undefined && value !== null && value !== false && value !== '',
  );
  return (
    <dl>
      {known.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
