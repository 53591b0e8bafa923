import { sharedPglite } from '../support/pglite.shared.js';
import { tempDir } from '../support/temp.js';
import { programmingModel } from './suite.js';

const url = sharedPglite();

programmingModel({
  name: 'PGlite',
  url: async () => url,
  own: () => `pglite:${tempDir('callsheet-pglite-')}`,
  alone: 'belongs to one process',
});
