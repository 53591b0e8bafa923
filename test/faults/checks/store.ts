import { NEW, tallied, type Commit } from '../history.js';
import { groupBy, type Check } from './check.js';

/** The state of a key is what its committed messages make of a new one, in the order sent. */
export const stateIsFold: Check = ({ remains: { commits, states } }) => {
  const byKey = commitsByKey(commits);
  const found = [...byKey].flatMap(([key, all]) => {
    const order = all.map(({ n = 0 }) => n).sort((a, b) => a - b);
    const expected = order.reduce(tallied, NEW);
    const state = states[key];
    const same = state && state.count === expected.count && state.digest === expected.digest;
    if (same && state.last === expected.last) return [];
    return [`${key} is ${JSON.stringify(state)}, and should be ${JSON.stringify(expected)}`];
  });
  const alone = Object.keys(states).filter((key) => !byKey.has(key));
  return [...found, ...alone.map((key) => `${key} has a state that no commit left`)];
};

/** The timer of a key was moved last by the last turn that was committed. */
export const timersMoved: Check = ({ remains: { commits, timers } }) =>
  [...commitsByKey(commits)].flatMap(([key, all]) => {
    const last = Math.max(...all.map(({ n = 0 }) => n));
    return timers[key] === last ? [] : [`the timer of ${key} is ${timers[key]}, not ${last}`];
  });

/** Nothing is left that nobody will ever take away: no lock, no mailbox, no message at work. */
export const noOrphans: Check = ({ remains: { leftovers } }) =>
  leftovers.map((each) => `${each} is left`);

/** Everything was handled. */
export const drained: Check = ({ remains: { pending } }) =>
  pending.map((id) => `${id} was never handled`);

function commitsByKey(commits: readonly Commit[]): Map<string, Commit[]> {
  const keyed = commits.filter(({ key }) => key !== undefined);
  return groupBy(keyed, ({ key }) => key ?? '');
}
