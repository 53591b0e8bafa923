import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ProblemError, sendProblem } from '../problem.js';

/** Everything the page loads is here. Swagger UI has pictures in its styles. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Callsheet API</title>
    <link rel="icon" href="docs/favicon-32x32.png" />
    <link rel="stylesheet" href="docs/swagger-ui.css" />
  </head>
  <body>
    <div id="api"></div>
    <noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> is what it shows.</noscript>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

// The validator would send the address of the document elsewhere.
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', deepLinking: true, docExpansion: 'list', validatorUrl: null });
`;

/** What of the package is served, and as what. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** How long a browser keeps what belongs to the page, seconds. */
const KEPT = 3_600;

/** Shows the description of the API at `/docs`, with Swagger UI, which comes with `@nestjs/swagger`; nothing is loaded from elsewhere. */
export function mountDocs(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.get('/docs', (_request, reply) =>
    reply
      .headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(PAGE),
  );
  fastify.get<{ Params: { file: string } }>('/docs/:file', async ({ params: { file } }, reply) => {
    void reply.header('cache-control', `private, max-age=${KEPT}`);
    if (file === 'start.js') return reply.type('text/javascript; charset=utf-8').send(START);
    const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
    if (type === undefined) return sendProblem(reply, new ProblemError('not_found', 'see /docs'));
    return reply.type(type).send(await contentOf(file));
  });
}

const contents = new Map<string, Buffer>();

/** One copy for all who ask: a client that reads slowly holds what it is sent, and 1.5 MB for each of many are much. */
async function contentOf(file: string): Promise<Buffer> {
  const known = contents.get(file);
  if (known) return known;
  const read = await readFile(path.join(folder(), file));
  // Others may have read it meanwhile.
  const content = contents.get(file) ?? read;
  contents.set(file, content);
  return content;
}

/** Where the package is, which has no code that a server could need. */
function folder(): string {
  return path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
