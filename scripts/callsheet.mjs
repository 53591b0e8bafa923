#!/usr/bin/env node
// The command line: builds what is not built, where there is what builds, then runs in this same process.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildOrExit, ROOT } from './build.mjs';

if (existsSync(path.join(ROOT, 'nest-cli.json'))) await buildOrExit();

await import(pathToFileURL(path.join(ROOT, 'dist/apps/cli/src/main.js')).href);
