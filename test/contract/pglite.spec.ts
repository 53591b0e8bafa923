import { sharedPglite } from '../support/pglite.shared.js';
import { engineContract } from './suite.js';

const url = sharedPglite();

engineContract({
  name: 'PGlite',
  url: async () => url,
  lacks: { shared: 'belongs to one process' },
});
