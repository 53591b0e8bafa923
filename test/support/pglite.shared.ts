import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, vi } from 'vitest';
import { removeDir, tempDir } from './temp.js';

/**
 * A folder for embedded stores, whose database stays open while the stores of one test after another are opened on it and
 * closed: starting it anew takes half a second of computing each time. That a store opened again in its folder finds what was
 * committed is for specs that do not use this.
 * @returns the URL of the store
 */
export function sharedPglite(): string {
  const folder = tempDir('callsheet-pglite-');
  const open = new Map<string, PGlite>();
  beforeAll(() => {
    const create = PGlite.create.bind(PGlite) as (options: { dataDir: string }) => Promise<PGlite>;
    vi.spyOn(PGlite, 'create').mockImplementation((async (options: { dataDir: string }) => {
      if (!options.dataDir.startsWith(folder)) return create(options);
      let database = open.get(options.dataDir);
      if (!database) {
        database = await create(options);
        open.set(options.dataDir, database);
        vi.spyOn(database, 'close').mockResolvedValue();
      }
      return database;
    }) as never);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    for (const database of open.values()) await database.close();
    removeDir(folder);
  });
  return `pglite:${folder}`;
}
