/** How long workers of mutants hold a job, ms: short, so that the work of dead and frozen ones is soon given to others. */
export const LOCK = 300;
