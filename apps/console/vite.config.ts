import path from 'node:path';
import { defineConfig } from 'vite';

const API = process.env['CALLSHEET_API_URL'] ?? 'http://127.0.0.1:3000';

/** `npx vite apps/console` serves the console while it is worked on, beside an API that runs. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: path.resolve(import.meta.dirname, '../../dist/apps/console'),
    emptyOutDir: true,
    target: 'es2022',
    // They know light-dark(); what takes its place for older ones does not follow the switch of the theme.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Policies of the server allow no data in the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/v1', '/health', '/metrics', '/board', '/docs', '/login', '/openapi.json'].map((prefix) => [
        prefix,
        { target: API, changeOrigin: true, headers: { origin: API } },
      ]),
    ),
  },
});
