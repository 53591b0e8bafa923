import { afterAll } from 'vitest';
import { removeDir, tempDir } from '../support/temp.js';
import { engineContract } from './suite.js';

const folder = tempDir('callsheet-pglite-');
afterAll(() => removeDir(folder));

engineContract({
  name: 'PGlite',
  url: async () => `pglite:${folder}`,
  lacks: { shared: 'belongs to one process' },
});
