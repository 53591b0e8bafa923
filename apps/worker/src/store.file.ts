import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

/** Writes a file into a folder, which is made when it is not there; readers never see half a file. */
export async function storeFile(
  folder: string,
  name: string,
  content: NodeJS.ReadableStream | string,
): Promise<void> {
  const draft = join(folder, `.${randomUUID()}.tmp`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(draft, typeof content === 'string' ? content : await buffer(content));
    await rename(draft, join(folder, name));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
