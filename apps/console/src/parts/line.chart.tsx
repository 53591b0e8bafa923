import type { ReactElement } from 'react';

const WIDTH = 300;
const HEIGHT = 60;

/** A line over time, the newest at the right; readers of screens get the newest and the highest value. */
export function LineChart({
  name,
  values,
  text = (value) => String(value),
}: {
  name: string;
  /** Oldest first; undefined where nothing was measured. */
  values: readonly (number | undefined)[];
  /** A value for people. */
  text?: (value: number) => string;
}): ReactElement {
  const known = values.filter((value) => value !== undefined);
  const highest = Math.max(0, ...known);
  const newest = values.at(-1);
  const label = `${name}: ${newest === undefined ? 'nothing' : text(newest)} now, ${text(highest)} at most`;
  return (
    <figure className="chart">
      <figcaption>
        {name} <strong>{newest === undefined ? '-' : text(newest)}</strong>
        <span className="quiet"> max {text(highest)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={label}
        preserveAspectRatio="none"
      >
        {lines(values, highest).map((points) => (
          // One alone is a line of no length, which has round ends.
          <polyline key={points} points={points.includes(' ') ? points : `${points} ${points}`} />
        ))}
      </svg>
    </figure>
  );
}

/** The points of each unbroken part of the line. */
function lines(values: readonly (number | undefined)[], highest: number): string[] {
  const parts: string[][] = [[]];
  for (const [index, value] of values.entries()) {
    if (value === undefined) {
      parts.push([]);
      continue;
    }
    const x = (index / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - 1 - (highest ? value / highest : 0) * (HEIGHT - 2);
    parts.at(-1)?.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  }
  return parts.filter((part) => part.length > 0).map((part) => part.join(' '));
}
