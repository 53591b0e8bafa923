#!/usr/bin/env node
// The command line: builds what is not built, where there is what builds, then runs in this same process.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import buildIfNeeded, { BuildError, ROOT } from './build.mjs';

if (existsSync(path.join(ROOT, 'nest-cli.json'))) {
  try {
    await buildIfNeeded();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

await import(pathToFileURL(path.join(ROOT, 'dist/apps/cli/src/main.js')).href);
