import type { RotationReport } from '@callsheet/messaging';

/** What is counted, as a person calls it. */
const KINDS = [
  ['states', 'states'],
  ['rows', 'rows of journals'],
  ['waiting', 'messages that wait'],
  ['ended', 'ended messages'],
  ['dead', 'dead letters'],
] as const;

/** Whether nothing of an actor needs an old key. */
export function isRotated(report: RotationReport): boolean {
  return !report.isPartial && KINDS.every(([kind]) => !report[kind]);
}

/** A line for each actor of which something was done, or is left, and what it comes to. */
export function rotationText(reports: readonly RotationReport[]): string {
  const lines = reports.flatMap((report) => {
    const left = KINDS.flatMap(([kind, name]) => (report[kind] ? [`${report[kind]} ${name}`] : []));
    if (report.rotated + report.rewritten === 0 && left.length === 0) return [];
    const least = report.isPartial ? 'at least ' : '';
    const rest = left.length > 0 ? `; left: ${least}${left.join(', ')}` : '';
    const letters = report.rewritten > 0 ? ` and ${report.rewritten} dead letters` : '';
    return [`${report.actor}: ${report.rotated} states${letters} rotated${rest}`];
  });
  const sum = reports.every(isRotated)
    ? 'everything is encrypted with the first key: the others may go'
    : 'what is left is not encrypted with the first key: keep the others, and run this again later';
  return [...lines, sum, ''].join('\n');
}
