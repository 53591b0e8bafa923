import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The version of Callsheet that this is, as the package.json says that is nearest above this file, built or not. */
export function version(folder = import.meta.dirname): string {
  const above = path.dirname(folder);
  try {
    const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return above === folder ? 'unknown' : version(above);
  }
}
