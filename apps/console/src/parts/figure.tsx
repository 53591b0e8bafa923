import type { ReactElement, ReactNode } from 'react';
import { Link } from 'wouter';

/** One number with its name, leading to what it counts. */
export function Figure({
  name,
  href,
  tone,
  children,
}: {
  name: string;
  href?: string;
  /** How much it matters that it is not 0. */
  tone?: 'bad' | undefined;
  children: string | number;
}): ReactElement {
  const value = <strong className={tone}>{children}</strong>;
  return (
    <li className="figure">
      <span className="quiet">{name}</span>
      {href ? (
        <Link href={href} aria-label={`${name}: ${children}`}>
          {value}
        </Link>
      ) : (
        value
      )}
    </li>
  );
}

/** Figures in a row. */
export function Figures({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <ul className="figures" aria-label={name}>
      {children}
    </ul>
  );
}
