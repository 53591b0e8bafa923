import { createContext, useContext } from 'react';
import { ApiProblem } from '../api/problem.js';

type Problems = ApiProblem['fields'];

/** What the API has said of the fields of a form, for the fields in it. */
export const FieldProblems = createContext<Problems>([]);

/** What an error says of single fields; nothing when it is of another kind. */
export function problemsIn(error: unknown): Problems {
  return error instanceof ApiProblem ? error.fields : NONE;
}

const NONE: Problems = [];

/** What is wrong with a part of the body, and with what is in it; '' when nothing is. @param path as the API writes it: `data/to` */
export function useProblem(path: string | undefined): string {
  const problems = useContext(FieldProblems);
  if (path === undefined) return '';
  return problems
    .filter((problem) => problem.path === path || problem.path.startsWith(`${path}/`))
    .map(({ path: at, message }) =>
      at === path ? message : `${at.slice(path.length + 1)}: ${message}`,
    )
    .join('\n');
}
