import { afterAll } from 'vitest';
import { removeDir, tempDir } from '../support/temp.js';
import { programmingModel } from './suite.js';

const folder = tempDir('callsheet-model-');
afterAll(() => removeDir(folder));

programmingModel({
  name: 'PGlite',
  url: async () => `pglite:${folder}`,
  alone: 'belongs to one process',
});
