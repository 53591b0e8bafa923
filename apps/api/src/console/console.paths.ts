/** Pages beside the first one; what an address says behind them is the console's own. */
const PAGES = ['actors', 'messages', 'dead-letters', 'schedules', 'sync', 'routes', 'audit'];

/** The routes of the console's pages. */
export const CONSOLE_PATHS: readonly string[] = [
  '/',
  ...PAGES.flatMap((page) => [`/${page}`, `/${page}/*`]),
];
