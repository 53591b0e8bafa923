import type { LaunchOptions } from '@callsheet/messaging';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { guardAccess } from './access/access.guard.js';
import { Access, type AccessOptions } from './access/access.js';
import { ApiKeys } from './access/api.keys.js';
import { mountLogin } from './access/login.js';
import { oidcLoginOptionsOf } from './access/oidc.login.js';
import { API_HEADERS } from './access/security.headers.js';
import { AuditLog } from './audit/audit.log.js';
import { auditChanges, type Auditing } from './audit/audit.hook.js';
import { tokenOptionsOf } from './access/token.verifier.js';
import {
  apiKeyOf,
  bindAddress,
  publicUrlOf,
  requestRateOf,
  requireFree,
  sessionSecretOf,
} from './bind.js';
import { refuseConnection } from './connection.error.js';
import { acceptOnlyJson } from './json.body.js';
import { mountConsole } from './console/console.js';
import { mountBoard } from './dashboard/board.js';
import { answerOnce } from './one.answer.js';
import { mountOpenApi } from './openapi.js';
import { sendProblem } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { problemFrom } from './problem.translation.js';
import { RouteTable } from './route.table.js';
import { SchemaPipe } from './schema.pipe.js';
import { limitSignedRoutes } from './signed.route.js';
import { dropSilentConnections } from './silent.connections.js';
import { routeUpgrades } from './upgrade.js';

/** The largest body, which is that of a batch; a single message may have 256 KiB. */
const BODY_LIMIT = 1024 * 1024;
/** Long enough for the longest id, percent-encoded. */
const LONGEST_PARAM = 2_048;
/** Milliseconds within which a request must have arrived, so that slow senders cannot hold connections. */
const ARRIVAL = 30_000;
/** Milliseconds after which an answer is given up: a store that is gone must not hold requests for ever. */
const PATIENCE = 15_000;

/**
 * How an application is made. Who may ask it, and how often, is as the environment says where it is left out: `CALLSHEET_API_KEY`,
 * `OIDC_ISSUER` and the like, `OIDC_CLIENT_ID` and the like, `PUBLIC_URL`, `SESSION_SECRET`, `HTTP_RATE`.
 */
export interface HttpOptions extends AccessOptions {
  /** Milliseconds after which an answer is given up. Default 15,000. */
  patience?: number;
  /** What `launch` hands to Nest. */
  nest?: LaunchOptions;
}

/** Makes the HTTP application of a module that contains `ApiModule` and `CallsheetModule`. It does not listen yet. */
export async function createHttpApp(
  module: Type | DynamicModule,
  {
    apiKey = apiKeyOf(),
    tokens = tokenOptionsOf(),
    login = oidcLoginOptionsOf(),
    publicUrl = publicUrlOf(),
    sessionSecret = sessionSecretOf(),
    rate = requestRateOf(),
    patience = PATIENCE,
    nest,
  }: HttpOptions = {},
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: ARRIVAL,
    handlerTimeout: patience,
    routerOptions: { maxParamLength: LONGEST_PARAM },
    frameworkErrors: (error: unknown, _request: FastifyRequest, reply: FastifyReply) =>
      // No hook has run: the URL has no route.
      void sendProblem(reply.headers(API_HEADERS), problemFrom(error)),
    clientErrorHandler: refuseConnection,
  });
  const fastify = adapter.getInstance();
  const routes = new RouteTable(fastify);
  limitSignedRoutes(fastify);
  answerOnce(fastify);
  const access = new Access({ apiKey, tokens, login, publicUrl, sessionSecret, rate });
  guardAccess(fastify, access);
  const auditing: Auditing = { authorization: access.ownAuthorization };
  auditChanges(fastify, auditing);
  acceptOnlyJson(fastify);
  dropSilentConnections(fastify);
  routeUpgrades(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    abortOnError: false,
    bodyParser: false,
    ...nest,
  });
  app.useGlobalPipes(new SchemaPipe());
  app.useGlobalFilters(new ProblemFilter(routes));
  access.keys = app.get(ApiKeys);
  auditing.log = app.get(AuditLog);
  mountLogin(fastify, access);
  await mountBoard(app);
  await mountConsole(app);
  mountOpenApi(app, { secured: access.isConfigured });
  return app;
}

/**
 * Makes the application and listens on the address that the environment names.
 *
 * @throws OptionError before anything is started, when the address is bad, unsafe or taken
 */
export async function serve(
  module: Type | DynamicModule,
  nest?: LaunchOptions,
): Promise<{ app: NestFastifyApplication; url: string }> {
  const address = bindAddress();
  await requireFree(address);
  const app = await createHttpApp(module, { nest });
  try {
    await app.listen(address.port, address.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, url: await app.getUrl() };
}
