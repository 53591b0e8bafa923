import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import build, { ROOT } from '../../scripts/build.mjs';

/** Where the processes of this suite are: beside the built libraries that they import. */
const BUILT = path.join(ROOT, 'dist/test/faults');

/** Builds the libraries, and with them what runs in processes of its own. Types are checked by `npm run typecheck`. */
export default async function setUp() {
  await build();
  const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) =>
    readFileSync(file, 'utf8'),
  );
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, sourceMap: false };
  for (const name of readdirSync(import.meta.dirname, { recursive: true })) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const text = readFileSync(path.join(import.meta.dirname, name), 'utf8');
    const { outputText } = ts.transpileModule(text, { fileName: name, compilerOptions });
    const target = path.join(BUILT, name.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}
