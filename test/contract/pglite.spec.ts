import { sharedPglite } from '../support/pglite.shared.js';
import { tempDir } from '../support/temp.js';
import { engineContract } from './suite.js';

const url = sharedPglite();

engineContract({
  name: 'PGlite',
  url: async () => url,
  own: () => `pglite:${tempDir('callsheet-pglite-')}`,
  lacks: { shared: 'belongs to one process' },
});
