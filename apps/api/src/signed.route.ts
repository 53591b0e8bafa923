import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';

/** The largest body of such a call, bytes: as much as a message may have. */
export const SIGNED_BODY_LIMIT = 256 * 1024;

/**
 * Marks a call that is authenticated by a signature over its body, which its handler checks: nobody asks for credentials,
 * and the body comes as a `RawBody`, its bytes as they were sent.
 */
export const SignedRoute = (): MethodDecorator => RouteConfig({ isSigned: true });

/** Whether a request is such a call. */
export function isSignedRoute({ routeOptions }: FastifyRequest): boolean {
  return isMarked(routeOptions.config);
}

/** Gives such calls their own limit. Must be added before any route. */
export function limitSignedRoutes(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (isMarked(route.config)) route.bodyLimit = SIGNED_BODY_LIMIT;
  });
}

function isMarked(config: FastifyContextConfig | undefined): boolean {
  return (config as { isSigned?: boolean } | undefined)?.isSigned === true;
}
