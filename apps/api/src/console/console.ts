import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ProblemError, sendProblem } from '../problem.js';
import { CONSOLE_HEADERS } from '../access/security.headers.js';
import { CONSOLE_PATHS } from './console.paths.js';

/** How long a browser keeps files whose names change with what is in them, seconds. */
const KEPT = 31_536_000;

/** Serves the console, one page with files of its own, at `/`. Until it is built a problem says so. */
export async function mountConsole(app: NestFastifyApplication): Promise<void> {
  const root = folder();
  await app.register(async (scope: FastifyInstance) => {
    await scope.register(fastifyStatic, {
      root: path.join(root, 'assets'),
      prefix: '/assets/',
      index: false,
      dotfiles: 'ignore',
      preCompressed: true,
      cacheControl: false,
      // The folder is not there before the first build.
      suppressWarning: true,
      setHeaders: (reply) =>
        void reply.header('cache-control', `private, max-age=${KEPT}, immutable`),
    });
    scope.get('/icon.svg', (_request, reply) =>
      reply.header('cache-control', `private, max-age=${KEPT}`).sendFile('icon.svg', root),
    );
    for (const url of CONSOLE_PATHS) {
      scope.get(url, (_request, reply) => {
        if (!existsSync(path.join(root, 'index.html'))) return sendProblem(reply, notBuilt());
        return reply
          .headers({ ...CONSOLE_HEADERS, 'cache-control': 'no-cache' })
          .sendFile('index.html', root);
      });
    }
  });
}

/** Where the build has put it: beside this app, also when this app runs from its sources. */
function folder(): string {
  const beside = path.resolve(import.meta.dirname, '../../../console');
  return existsSync(path.join(beside, 'assets'))
    ? beside
    : path.resolve(import.meta.dirname, '../../../../dist/apps/console');
}

function notBuilt(): ProblemError {
  return new ProblemError('not_found', 'the console is not built: npm run build');
}
