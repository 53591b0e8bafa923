/** Whether the whole corpus is tried, as `npm run test:rules` does, rather than the part that `npm test` has time for. */
export const WHOLE = process.env['RULES'] === 'full';
