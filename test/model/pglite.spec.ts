import { sharedPglite } from '../support/pglite.shared.js';
import { programmingModel } from './suite.js';

const url = sharedPglite();

programmingModel({
  name: 'PGlite',
  url: async () => url,
  alone: 'belongs to one process',
});
