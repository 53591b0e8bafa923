import { eventsOf, groupBy, repeated, type Check } from './check.js';

/** What was acknowledged, or committed with a turn, was handled, is a dead letter, or still waits. */
export const nothingLost: Check = (history) => {
  const { commits, dead, pending } = history.remains;
  const there = new Set([...commits.map(({ of }) => of), ...dead, ...pending]);
  const acked = eventsOf(history, 'acked').map(({ id }) => id);
  const sent = commits.flatMap((commit) => commit.sent ?? []);
  return [...new Set([...acked, ...sent])]
    .filter((id) => !there.has(id))
    .map((id) => `${id} was accepted and is nowhere`);
};

/** Nothing is in the store, or was begun, that nobody sent. */
export const nothingFromNowhere: Check = (history) => {
  const { commits, dead, pending } = history.remains;
  const meant = new Set(eventsOf(history, 'intent').map(({ id }) => id));
  for (const { sent = [] } of commits) for (const id of sent) meant.add(id);
  const begun = eventsOf(history, 'start').map(({ id }) => id);
  return [...new Set([...commits.map(({ of }) => of), ...dead, ...pending, ...begun])]
    .filter((id) => !meant.has(id))
    .map((id) => `${id} is there, and nobody sent it`);
};

/** A message ends once: one commit, or one dead letter, or neither while it waits. */
export const committedOnce: Check = ({ remains: { commits, dead, pending, rows } }) => {
  const ends = [...commits.map(({ of }) => of), ...dead, ...pending];
  const found = repeated(ends).map((id) => `${id} ended more than once`);
  if (!rows) return found;
  const notes = new Set(commits.map(({ of, run }) => `${of} ${run}`));
  const inSql = new Set(rows.map(({ of, run }) => `${of} ${run}`));
  return [
    ...found,
    ...repeated(rows.map(({ of }) => of)).map((id) => `${id} has more than one row`),
    ...[...notes].filter((each) => !inSql.has(each)).map((each) => `${each} has no row`),
    ...[...inSql].filter((each) => !notes.has(each)).map((each) => `${each} has a row, alone`),
  ];
};

/** Dead letters are exactly the messages whose handler gave them up. */
export const deadLettersExact: Check = (history) => {
  const { commits, dead, pending } = history.remains;
  const ended = new Set([...commits.map(({ of }) => of), ...pending]);
  const given = new Set(
    eventsOf(history, 'end')
      .filter(({ how }) => how === 'rejected')
      .map(({ id }) => id),
  );
  const buried = new Set(dead);
  return [
    ...repeated(dead).map((id) => `${id} is a dead letter twice`),
    ...dead.filter((id) => !given.has(id)).map((id) => `${id} is dead, and nobody gave it up`),
    ...[...given]
      .filter((id) => !buried.has(id) && !ended.has(id))
      .map((id) => `${id} was given up, and is no dead letter`),
  ];
};

/** Of messages sent together all are stored, or none. */
export const allOrNone: Check = (history) => {
  const { commits, dead, pending } = history.remains;
  const there = new Set([...commits.map(({ of }) => of), ...dead, ...pending]);
  const batched = eventsOf(history, 'intent').filter(({ batch }) => batch !== undefined);
  return [...groupBy(batched, ({ batch }) => batch ?? '')].flatMap(([batch, intents]) => {
    const stored = intents.filter(({ id }) => there.has(id)).length;
    if (stored === 0 || stored === intents.length) return [];
    return [`${stored} of the ${intents.length} messages of ${batch} are stored`];
  });
};
